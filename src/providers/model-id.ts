import { InvalidParameterError } from "../errors.js";

/** An id as providers take it: any text that is not blank. @throws InvalidParameterError */
export function requireRemoteModelId(value: unknown): string {
  const fail = (why: string): never => {
    throw new InvalidParameterError(
      `The model's id ${why}. Give it as the provider writes it, like "yolov8n-640" or "workspace/project/3".`,
      {
        parameter: "modelId",
      },
    );
  };
  if (typeof value !== "string") return fail(`is a value of type ${value === null ? "null" : typeof value}`);
  if (value.trim() === "") return fail("is blank");
  if (value.includes("\0")) return fail("holds a NUL character");
  return value;
}

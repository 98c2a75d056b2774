import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseYaml, YamlSyntaxError } from "../../src/packages/yaml.js";

describe("reading YAML", () => {
  it.each<[string, string, unknown]>([
    ["nothing", "# only a comment\n", null],
    ["nested mappings", "a:\n  b:\n    c: 1\n  d: two\n", { a: { b: { c: 1 }, d: "two" } }],
    ["sequences as far left as their key", "a:\n- 1\n- 2\nb: 3", { a: [1, 2], b: 3 }],
    ["sequences of mappings", "- x: 1\n  y:\n    - z\n- w", [{ x: 1, y: ["z"] }, "w"]],
    ["sequences in sequences", "- - 1\n  - 2\n- - 3", [[1, 2], [3]]],
    ["flow over several lines", "a: [1, # one\n  {b: c, 'd': \"e\"},\n  ]\n", { a: [1, { b: "c", d: "e" }] }],
    ["JSON", '{"a": null, "b": [true, -1.5e3, "x\\u00e9\\n"]}', { a: null, b: [true, -1500, "xé\n"] }],
    ["quotes", "a: 'it''s' # comment\nb: \"\\\"#\\\"\"", { a: "it's", b: '"#"' }],
    ["texts with colons and hashes", "a: http://x:80/y#z\nb: c:d", { a: "http://x:80/y#z", b: "c:d" }],
    ["words with a meaning", "- ~\n- yes\n- off\n- 007\n- 1./255.\n- .5", [null, true, false, "007", "1./255.", 0.5]],
    ["empty values", "a:\nb: 1\nc:\n  - \n  - x", { a: null, b: 1, c: [null, "x"] }],
    ["Windows line ends and a byte-order mark", "\uFEFFa: 1\r\nb: 2\r\n", { a: 1, b: 2 }],
    ["a document start", "---\na: 1", { a: 1 }],
    ["names of a prototype", "__proto__: 1\nconstructor: 2", JSON.parse('{"__proto__": 1, "constructor": 2}')],
  ])("understands %s", (_, text, value) => {
    expect(parseYaml(text)).toEqual(value);
  });

  it.each([
    ["an anchor", "a: &x 1"],
    ["an alias", "a: *x"],
    ["a tag", "a: !!python/object:os.system ls"],
    ["a block scalar", "a: |\n  text"],
    ["a second document", "a: 1\n---\nb: 2"],
    ["tabs", "\ta: 1"],
    ["an open bracket", "a: [1, 2"],
    ["an open quote", "a: 'x"],
    ["what belongs to nothing", "a: 1\n  b: 2"],
    ["text after a value", "a: [1] 2"],
    ["deep nesting", "[".repeat(100)],
    ["deep nesting of blocks", "- ".repeat(100) + "x"],
  ])("refuses %s", (_, text) => {
    expect(() => parseYaml(text)).toThrow(YamlSyntaxError);
  });

  it("reads what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseYaml(text))).toBe(text);
      }),
    );
  });

  it("ends with a value or a syntax error, whatever it is given", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", ":", " ", "-", "\n", "[", "]", "{", "}", ",", "'", '"', "#", "\\", "  ", "- ", ": ")),
        (parts) => {
          try {
            parseYaml(parts.join(""));
          } catch (error) {
            expect(error).toBeInstanceOf(YamlSyntaxError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("takes no longer than its length for texts made to take long", () => {
    for (const text of [`a${" ".repeat(200_000)}b: c`, "'".repeat(100_001), `[${" #".repeat(100_000)}`, `a: b${" ".repeat(200_000)}c`]) {
      try {
        parseYaml(text);
      } catch (error) {
        expect(error).toBeInstanceOf(YamlSyntaxError);
      }
    }
  });
});

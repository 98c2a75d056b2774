#include "onnxruntime/table.h"

#include <gtest/gtest.h>

#include <vector>

namespace im::ort {
namespace {

TEST(ApiOfRelease, IsTheMinorNumberOfReleaseOne) {
  EXPECT_EQ(ApiOfRelease("1.30.0"), 30u);
  EXPECT_EQ(ApiOfRelease("1.20"), 20u);
}

TEST(ApiOfRelease, IsNothingForOtherTexts) {
  for (const char* text : {"", "1", "1.", "1.x", "2.30.0", "11.30", "1.30x", "1.99999999999", "v1.30"}) {
    EXPECT_EQ(ApiOfRelease(text), std::nullopt) << text;
  }
}

TEST(ReadTable, LeavesFunctionsOfNewerInterfacesNull) {
  // As long as the table of release 1.20: reading slot 293 from it would be out of bounds.
  std::vector<void*> slots(285);
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = reinterpret_cast<void*>(0x1000 + i);
  const Table table = ReadTable(slots.data(), 20);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table.Run), 0x1000u + 9);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table.ReleaseSession), 0x1000u + 95);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table.SetUserLoggingFunction), 0x1000u + 266);
  EXPECT_EQ(table.SessionOptionsSetLoadCancellationFlag, nullptr);
}

}  // namespace
}  // namespace im::ort

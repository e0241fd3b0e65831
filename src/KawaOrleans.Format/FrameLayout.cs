namespace KawaOrleans.Format;

/// <summary>Where each field of a frame lies (docs/FORMAT.md, "Frame"). All numbers are little-endian.</summary>
internal static class FrameLayout
{
    public const int Checksum = 0;        // u32, over everything behind it, padding included
    public const int Length = 4;          // i32, header and body without padding; 0: nothing here
    public const int Kind = 8;            // u8
    public const int Traits = 9;          // u8
    public const int Codecs = 10;         // u8, low nibble data, high nibble metadata; 0 = raw
    public const int KeyId = 11;          // u8, 0 = unencrypted
    public const int GroupDistance = 12;  // u32, (own offset - group start) / 8
    public const int RelativePosition = 16; // u32, position - segment base
    public const int StreamHash = 20;     // u32, low half of XXH3 over the stream's UTF-8
    public const int Revision = 24;       // i64, -1 = not numbered
    public const int Timestamp = 32;      // i64, UTC ticks of 100 ns since 0001-01-01
    public const int HeaderBytes = 40;

    public const int Alignment = 8;

    public static int Padded(int length) => checked(length + (Alignment - 1)) & ~(Alignment - 1);
}

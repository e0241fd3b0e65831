namespace KawaOrleans.Format;

/// <summary>Where each field of a frame lies (docs/FORMAT.md, "Frame"). All numbers are little-endian.</summary>
/// <remarks>Three parts in this order: the stamp, which only the writer can give; the checksum; the encoded part, which is the client's
/// and is never touched again. So a checksum of the whole is made from a hash of the encoded part without seeing its bytes.</remarks>
internal static class FrameLayout
{
    public const int GroupDistance = 0;     // u32, (own offset - group start) / 8
    public const int RelativePosition = 4;  // u32, position - segment base
    public const int Revision = 8;          // i64, -1 in a frame that is no event
    public const int Timestamp = 16;        // i64, UTC ticks of 100 ns since 0001-01-01
    public const int Checksum = 24;         // u32, over everything else, padding included
    public const int Encoded = 28;          // what the client encodes begins here
    public const int Length = 28;           // i32, header and body without padding; 0: nothing here
    public const int Kind = 32;             // u8
    public const int Traits = 33;           // u8
    public const int Codecs = 34;           // u8, low nibble data, high nibble metadata; 0 = raw
    public const int KeyId = 35;            // u8, 0 = unencrypted
    public const int StreamHash = 36;       // u32, low half of XXH3 over the stream's UTF-8
    public const int HeaderBytes = 40;

    /// <summary>In a frame not yet stamped: u64, the hash of the encoded part, in place of group distance and position.</summary>
    public const int EncodedHash = 0;

    public const int Alignment = 8;

    /// <summary>How many words of a frame may be zero before one that is not, in bytes: the length is never zero.</summary>
    public const int MaxZeroWordsBytes = Length / Alignment * Alignment;

    public static int Padded(int length) => checked(length + (Alignment - 1)) & ~(Alignment - 1);
}

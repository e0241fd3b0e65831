namespace KawaOrleans.Storage.Streams;

/// <summary>Numbers in 1 to 10 bytes: LEB128, low bits first.</summary>
internal static class Varint
{
    public const int MostBytes = 10;

    /// <summary>Writes the number; answers how many bytes it took.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static int Write(Span<byte> target, ulong number)
    {
        var at = 0;
        for (; number >= 0x80; number >>= 7)
        {
            target[at++] = (byte)((number & 0x7F) | 0x80);
        }

        target[at++] = (byte)number;
        return at;
    }

    /// <summary>How many bytes the number takes.</summary>
    public static int BytesOf(ulong number) => (System.Numerics.BitOperations.Log2(number | 1) / 7) + 1;

    /// <summary>Reads a number and goes behind it; false when none is there, or one beyond 64 bits.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, ref int at, out ulong number)
    {
        number = 0;
        for (var shift = 0; shift < 7 * MostBytes && at < bytes.Length; shift += 7)
        {
            var next = bytes[at++];
            number |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return shift < 63 || next < 2;
            }
        }

        return false;
    }
}

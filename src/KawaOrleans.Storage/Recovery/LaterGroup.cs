using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Segments;

namespace KawaOrleans.Storage.Recovery;

/// <summary>Searches behind a bad place for proof that it was once on disk: a whole frame whose write group begins after it.</summary>
internal static class LaterGroup
{
    /// <summary>How many times W bytes may be verified in the search. User data made of look-alike frames could cost hours;
    /// beyond the budget the answer is damage, which loses nothing.</summary>
    private const int BudgetFactor = 16;

    /// <exception cref="SegmentDamagedException">Proof was found, or there was too much to check.</exception>
    public static void Refuse(string path, FrameReader reader, long fileBytes, long bad)
    {
        var window = FileLayout.MaxGroupBytes(fileBytes);
        var budget = (long)window * BudgetFactor;
        var last = Math.Min(bad + window, fileBytes - FrameLayout.HeaderBytes);
        for (var offset = bad + FrameLayout.Alignment; offset <= last;)
        {
            var bytes = reader.Bytes(offset, FrameLayout.HeaderBytes);
            if (LeadingZeroes(bytes) is var zeroes and >= FrameLayout.MaxZeroWordsBytes + FrameLayout.Alignment)
            {
                offset += zeroes - (zeroes % FrameLayout.Alignment) - FrameLayout.MaxZeroWordsBytes;
                continue;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[FrameLayout.Length..]);
            if (length <= Math.Min(window, fileBytes - offset) && ReadsLikeLaterGroup(bytes, length, offset, bad))
            {
                budget -= length;
                if (budget < 0)
                {
                    throw new SegmentDamagedException(path, bad, "what follows holds too many look-alikes of frames to tell a torn tail from damage");
                }

                if (reader.TryRead(offset, out _) is FrameStatus.Whole or FrameStatus.Unknown)
                {
                    throw new SegmentDamagedException(path, bad, $"it does not verify, but a later write group, at offset {offset}, does");
                }
            }

            offset += FrameLayout.Alignment;
        }
    }

    private static int LeadingZeroes(ReadOnlySpan<byte> bytes)
    {
        var first = bytes.IndexOfAnyExcept((byte)0);
        return first < 0 ? bytes.Length : first;
    }

    private static bool ReadsLikeLaterGroup(ReadOnlySpan<byte> bytes, int length, long offset, long bad)
    {
        if (length < FrameLayout.HeaderBytes || (bytes[FrameLayout.Kind] & 0x7F) is 0 or > (int)FrameKind.Footer)
        {
            return false;
        }

        var distance = (long)BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameLayout.GroupDistance..]) * FrameLayout.Alignment;
        return offset - distance > bad;
    }
}

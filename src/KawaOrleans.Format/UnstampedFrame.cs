using System.Buffers.Binary;

namespace KawaOrleans.Format;

/// <summary>An event frame as it is sent to be appended: everything but the stamp.</summary>
internal static class UnstampedFrame
{
    private const FrameTraits Known = FrameTraits.LastOfBatch | FrameTraits.HasOccurred | FrameTraits.DeletesStream | FrameTraits.EndsStream;

    /// <summary>Why these bytes do not begin with an event frame that a writer may take, or null when they do; <see cref="WhyChanged"/> is
    /// asked last.</summary>
    /// <param name="rest">From the frame's first byte on.</param>
    /// <param name="padded">The frame's length with padding.</param>
    /// <param name="endsBatch">True when it is marked as its batch's last.</param>
    public static string? WhyNot(ReadOnlySpan<byte> rest, out int padded, out bool endsBatch)
    {
        padded = 0;
        endsBatch = false;
        if (rest.Length < FrameLayout.HeaderBytes)
        {
            return $"{rest.Length} bytes are left, a frame has at least {FrameLayout.HeaderBytes}";
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(rest[FrameLayout.Length..]);
        if (length < FrameLayout.HeaderBytes || length > rest.Length || FrameLayout.Padded(length) > rest.Length)
        {
            return $"its length {length} does not fit the {rest.Length} bytes left";
        }

        padded = FrameLayout.Padded(length);
        var frame = rest[..padded];
        var traits = (FrameTraits)frame[FrameLayout.Traits];
        endsBatch = (traits & FrameTraits.LastOfBatch) != 0;
        if (frame[FrameLayout.Kind] != (byte)FrameKind.Event || (traits & ~Known) != 0)
        {
            return "only event frames with known flags can be appended";
        }

        if (frame[FrameLayout.Codecs] != 0 || frame[FrameLayout.KeyId] != 0)
        {
            return "compressed or encrypted events are not known to this version";
        }

        if (frame[length..].ContainsAnyExcept((byte)0))
        {
            return "the padding behind an event is zero";
        }

        var hash = BinaryPrimitives.ReadUInt32LittleEndian(frame[FrameLayout.StreamHash..]);
        return EventBody.WhyNot(frame[FrameLayout.HeaderBytes..length], traits, hash);
    }

    /// <summary>Why a frame, with its padding, is not the one that was encoded, or null when it is.</summary>
    public static string? WhyChanged(ReadOnlySpan<byte> frame) =>
        Checksum.OfEncoded(frame) == BinaryPrimitives.ReadUInt64LittleEndian(frame[FrameLayout.EncodedHash..])
            ? null
            : "its bytes are not those that were encoded: they changed on the way here";
}

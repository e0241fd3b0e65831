using System.IO.Hashing;

namespace KawaOrleans.Format;

/// <summary>What a writer remembers of an event, to know it again: 64 bits made from its id, and 32 from everything its client encoded,
/// its place at the end of a batch included.</summary>
/// <remarks>Two ids among a million share their 64 bits with a probability of 3e-8; the second would be refused as the first one with
/// other content, never taken for it unless the other 32 bits agree too.</remarks>
internal readonly record struct EventPrint(ulong Id, uint Content)
{
    /// <summary>The print of an event's frame.</summary>
    /// <param name="frame">The frame, with its padding, stamped or not.</param>
    /// <param name="encodedHash">The hash of its encoded part.</param>
    public static EventPrint Of(ReadOnlySpan<byte> frame, ulong encodedHash)
    {
        var id = frame.Slice(FrameLayout.HeaderBytes + EventBody.Id, 16);
        return new EventPrint(XxHash3.HashToUInt64(id), Checksum.Fold(encodedHash));
    }
}

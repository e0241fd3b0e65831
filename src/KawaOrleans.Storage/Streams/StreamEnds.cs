using System.Text;

namespace KawaOrleans.Storage.Streams;

/// <summary>Finds what is known of a stream where a segment ends: in its own index, or in the heads of what lies before it.</summary>
internal static class StreamEnds
{
    /// <summary>See <see cref="Segment.EndOf"/>.</summary>
    public static StreamEnd? Of(Segment segment, string stream)
    {
        var heads = new Lazy<IStreamHeads?>(segment.HeadsBefore);
        return TryFind(segment, heads, new StreamName(Encoding.UTF8.GetBytes(stream)), out var head)
            && TryFind(segment, heads, new StreamName(Encoding.UTF8.GetBytes(StreamMetadata.StreamOf(stream))), out var metadata)
            ? new StreamEnd(head?.Revision ?? -1, head?.State ?? StreamState.Live, metadata?.Position ?? -1)
            : null;
    }

    /// <summary>See <see cref="Segment.FirstSince"/>. Timestamps never fall, so what is old enough comes first.</summary>
    public static long FirstSince(Segment segment, StreamName name, long ticks)
    {
        if (segment.FindStream(name, segment.Committed) is not { } part)
        {
            return 0;
        }

        var (low, high) = (0, part.Events);
        Span<uint> position = stackalloc uint[1];
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            part.Copy(middle, position);
            (low, high) = segment.RecordedAt(position[0]) < ticks ? (middle + 1, high) : (low, middle);
        }

        return part.FirstRevision + low;
    }

    /// <summary>See <see cref="Segment.WaitForStreamAsync"/>.</summary>
    public static async ValueTask WaitAsync(Segment segment, string stream, long revision, TimeProvider time, TimeSpan wait, CancellationToken cancellation)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var committed = segment.Committed;
            var left = wait - time.GetElapsedTime(started);
            if (Has(segment, stream, committed, revision) || left <= TimeSpan.Zero || !await segment.WaitForAsync(committed, left, cancellation).ConfigureAwait(false))
            {
                return;
            }
        }
    }

    private static bool Has(Segment segment, string stream, long to, long revision) =>
        segment.FindStream(new StreamName(Encoding.UTF8.GetBytes(stream)), to) is { } part && part.LastRevision >= revision;

    /// <summary>False when the segment does not hold the stream and what lies before it is not known.</summary>
    private static bool TryFind(Segment segment, Lazy<IStreamHeads?> heads, StreamName name, out StreamHead? head)
    {
        head = segment.FindStream(name, segment.Committed) is { } part ? segment.HeadOf(part) : heads.Value?.Find(name);
        return head is not null || heads.Value is not null;
    }
}

using Microsoft.Extensions.Options;

namespace KawaOrleans.Server.Segments;

/// <summary>The bytes of appends that this silo holds and that are not on disk yet, counted for the silo and for each segment.</summary>
internal sealed class QueuedBytes(IOptions<KawaEventStoreOptions> options, KawaMetrics metrics)
{
    private readonly long _most = options.Value.MaxQueuedBytes;
    private readonly long _mostOfSegment = options.Value.MaxQueuedBytesPerSegment;
    private long _queued;

    /// <summary>Takes the bytes in; false when that were too many. What comes while nothing waits is always taken.</summary>
    /// <param name="ofSegment">What the segment holds already; changed with it. One segment's calls come one at a time.</param>
    /// <param name="bytes">How many.</param>
    public bool TryEnter(ref long ofSegment, int bytes)
    {
        var queued = Interlocked.Add(ref _queued, bytes);
        if ((queued > _most && queued != bytes) || (ofSegment > 0 && ofSegment + bytes > _mostOfSegment))
        {
            Interlocked.Add(ref _queued, -bytes);
            metrics.Busy();
            return false;
        }

        ofSegment += bytes;
        metrics.Queued(bytes);
        return true;
    }

    /// <summary>They are on disk, or refused.</summary>
    public void Leave(ref long ofSegment, int bytes)
    {
        ofSegment -= bytes;
        Interlocked.Add(ref _queued, -bytes);
        metrics.Queued(-bytes);
    }
}

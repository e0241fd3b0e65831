using System.Collections.Concurrent;
using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>Reads each sealed replica of several once after a start, as what rotted while the silo was down shows nowhere else before a reader comes,
/// and again when a reader came and met something.</summary>
internal sealed class ReplicaVerification(NodeHost host, LocalNode node, Pace pace, ILogger logger)
{
    private readonly ConcurrentDictionary<Guid, bool> _verified = new();

    /// <summary>The replica of a segment came from another node, each frame verified: it is not read again.</summary>
    public void Settled(Guid segmentId) => _verified[segmentId] = true;

    public bool HasVerified(Guid segmentId) => _verified.ContainsKey(segmentId);

    /// <summary>Somebody met what does not verify: these are read again.</summary>
    public void Doubt(IEnumerable<Guid> segmentIds)
    {
        foreach (var segmentId in segmentIds)
        {
            _verified.TryRemove(segmentId, out _);
        }
    }

    /// <summary>Verifies replicas until so many bytes were read; true when something is left to do: more to verify, or damage to mend.</summary>
    public async Task<bool> Run(ChainNode self, Catalogue catalogue, long bytes, CancellationToken cancellation)
    {
        var isDamaged = false;
        foreach (var chain in host.Chains.All.Where(chain => !catalogue.Deleted.Contains(chain.LogId)))
        {
            foreach (var segment in chain.Segments.Where(segment => !segment.IsOpen && segment.Ensemble.Count > 1 && segment.Ensemble.Contains(self)))
            {
                if (bytes < 0)
                {
                    return true;
                }

                if (node.Here(segment).State != ReplicaState.Sealed || node.Find(segment.Id) is not { } replica || HasVerified(segment.Id))
                {
                    continue;
                }

                var (isRead, problem) = await Verify(replica, cancellation);
                if (!isRead)
                {
                    continue; // at another pass
                }

                _verified[segment.Id] = true;
                bytes -= replica.Tail.Offset;
                if (problem is not null)
                {
                    logger.Damaged(segment.Id, chain.LogName, problem);
                    isDamaged = true;
                }
            }
        }

        return isDamaged;
    }

    private Task<(bool IsRead, string? Problem)> Verify(Storage.Segment replica, CancellationToken cancellation)
    {
        // On a thread of its own, which waits for the pace between two reads.
        var store = host.Store;
        return Task.Factory.StartNew(
            () => (store.TryVerify(replica, out var problem, new Paced(pace, cancellation)), problem), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private sealed class Paced(Pace pace, CancellationToken cancellation) : IProgress<long>
    {
        private long _reached;

        public void Report(long value)
        {
            pace.SpendHere(value - _reached, cancellation);
            _reached = value;
        }
    }
}

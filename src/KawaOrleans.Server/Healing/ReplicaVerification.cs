using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;

namespace KawaOrleans.Server.Healing;

/// <summary>Reads each sealed replica of several once after a start: what rotted while the silo was down shows nowhere else before a reader comes.</summary>
internal sealed class ReplicaVerification(NodeHost host, LocalNode node, Pace pace, ILogger logger)
{
    private readonly HashSet<Guid> _verified = [];

    /// <summary>The replica of a segment came from another node, each frame verified: it is not read again.</summary>
    public void Settled(Guid segmentId) => _verified.Add(segmentId);

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

                if (node.Here(segment).State != ReplicaState.Sealed || node.Find(segment.Id) is not { } replica || _verified.Contains(segment.Id))
                {
                    continue;
                }

                var (isRead, problem) = await Verify(replica, cancellation);
                if (!isRead)
                {
                    continue; // at another pass
                }

                _verified.Add(segment.Id);
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

using KawaOrleans.Server.Nodes;
using KawaOrleans.Server.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace KawaOrleans.Server.Healing;

/// <summary>Mends this node's replicas as long as the silo runs, one pass after another: what one leaves undone the next one does.</summary>
internal sealed class Healer : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan BetweenPasses = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StopMayWait = TimeSpan.FromSeconds(5);

    private readonly NodeHost _host;
    private readonly ClusterJoin _join;
    private readonly MendingNode _node;
    private readonly IChainRecords _records;
    private readonly HealingPass _pass;
    private readonly ReplicaVerification _verification;
    private readonly long _bytesPerSecond;
    private readonly TimeProvider _time;
    private readonly ILogger<Healer> _logger;
    private readonly SemaphoreSlim _woken = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public Healer(
        NodeHost host, ClusterJoin join, LocalNode local, MendingNode node, IChainRecords records, EnsembleChange ensembles, Invitations invitations,
        Pace pace, KawaMetrics metrics, IOptions<KawaEventStoreOptions> options, TimeProvider time, ILogger<Healer> logger)
    {
        (_host, _join, _node, _records, _time, _logger) = (host, join, node, records, time, logger);
        _bytesPerSecond = options.Value.HealingBytesPerSecond;
        _verification = new ReplicaVerification(host, local, pace, logger);
        _pass = new HealingPass(node, invitations, new ReplicaFetch(node, pace.Spend, metrics.Healed), ensembles, Settled, logger);
        invitations.Added = Wake;
        host.Doubted.Added = Wake;
        host.FoundShort = Wake;
        metrics.Observe(() => Found);
    }

    /// <summary>What the last pass found and could not mend.</summary>
    public HealingReport Found { get; private set; } = HealingReport.Nothing;

    /// <summary>Whether the replica of a segment was read whole since this silo started, or came whole from another node.</summary>
    public bool HasVerified(Guid segmentId) => _verification.HasVerified(segmentId);

    public void Participate(ISiloLifecycle observer) => observer.Subscribe<Healer>(
        ServiceLifecycleStage.Active + 2,
        _ =>
        {
            _running = Task.Run(Run, CancellationToken.None);
            return Task.CompletedTask;
        },
        async _ =>
        {
            await _stopping.CancelAsync();
            await Task.WhenAny(_running, Task.Delay(StopMayWait, _time, CancellationToken.None));
        });

    /// <summary>Has the next pass begin now.</summary>
    public void Wake()
    {
        try
        {
            _woken.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is about to.
        }
    }

    public void Dispose()
    {
        _stopping.Dispose();
        _woken.Dispose();
    }

    private async Task Run()
    {
        var cancellation = _stopping.Token;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                // Not before it caught up: a copy that a chain lists already looks like one that nobody needs.
                if (_host.WhyNotVoting is null && _join.WhyNotJoined is null && await _records.ReadCatalogue(cancellation) is { } catalogue)
                {
                    await _join.Recheck(catalogue.Value, cancellation);
                    Found = await _pass.Run(catalogue.Value, cancellation);
                    _verification.Doubt(_host.Doubted.Take());
                    if (await _verification.Run(_node.Self, catalogue.Value, (long)(_bytesPerSecond * BetweenPasses.TotalSeconds), cancellation))
                    {
                        continue;
                    }
                }

                // What comes together is looked at together: each pass looks at all there is.
                if (await _woken.WaitAsync(BetweenPasses, cancellation))
                {
                    await Task.Delay(Gather, _time, cancellation);
                }
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException or NodeUnavailableException)
            {
                return; // the silo is stopping
            }
            catch (Exception e) when (e is KawaException or IOException or InvalidOperationException or ArgumentException)
            {
                _logger.PassFailed(e.Message);
                await Task.Delay(BetweenPasses, _time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Settled(Guid segmentId)
    {
        _verification.Settled(segmentId);
        _host.Healed(segmentId);
    }
}

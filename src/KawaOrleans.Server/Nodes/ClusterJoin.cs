using KawaOrleans.Server.Logs;
using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Once the silo is active: the node joins the cluster of the chain store, catches up on the chains that changed while it
/// was away, and sets aside the files of logs that were deleted. Until that succeeds it serves what it holds and takes no new segments.</summary>
internal sealed partial class ClusterJoin(
    NodeHost host, LocalNode node, ChainChanger changer, ChainSource chains, IChainRecords records, TimeProvider time, ILogger<ClusterJoin> logger)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan StartMayWait = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stopping = new();
    private Task _joining = Task.CompletedTask;
    private Task _reporting = Task.CompletedTask;
    private volatile string? _whyNotJoined = "it has not tried yet";

    /// <summary>Why the node takes no new segments, or null once it joined.</summary>
    public string? WhyNotJoined => _whyNotJoined;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe<ClusterJoin>(ServiceLifecycleStage.Active + 1, Start, Stop);

    public void Dispose() => _stopping.Dispose();

    /// <summary>The start waits a while, so that a started silo usually has joined; a directory of another cluster ends it.</summary>
    private async Task Start(CancellationToken cancellation)
    {
        _joining = Task.Run(() => JoinUntilDone(_stopping.Token), cancellation);
        await Task.WhenAny(_joining, Task.Delay(StartMayWait, time, cancellation));
        if (_joining.IsCompleted)
        {
            await _joining;
        }
    }

    private async Task Stop(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_joining, _reporting), Task.Delay(StartMayWait, time, cancellation));
    }

    private async Task JoinUntilDone(CancellationToken cancellation)
    {
        for (var wait = FirstWait; !cancellation.IsCancellationRequested; wait = Longer(wait))
        {
            try
            {
                var catalogue = await changer.Join(cancellation);
                host.Store.JoinCluster(catalogue.Cookie);
                await CatchUp(catalogue, cancellation);
                _whyNotJoined = null;
                LogJoined(host.Name, catalogue.Cookie);
                _reporting = Task.Run(() => ReportOpenSegments(cancellation), CancellationToken.None);
                return;
            }
            catch (ChainStoreException e)
            {
                _whyNotJoined = e.Message;
                LogNotJoined(host.Name, e.Problem, e.Message);
            }
            catch (StorageException e)
            {
                _whyNotJoined = e.Message;
                LogRefused(host.Name, e.Message);
                throw;
            }
            catch (Exception e) when (e is OperationCanceledException or NodeUnavailableException or ObjectDisposedException)
            {
                return; // the silo is stopping
            }

            await Task.Delay(wait, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Segments of several replicas that are open here and perhaps written by nobody: their writer may have gone with this node, or
    /// while it was away. Until they are ended nobody knows what of them is acknowledged. One that is written goes on.</summary>
    private async Task ReportOpenSegments(CancellationToken cancellation)
    {
        var waiting = host.Chains.All.Where(chain => Reportable(chain) is not null).ToList();
        for (var wait = FirstWait; waiting.Count > 0 && !cancellation.IsCancellationRequested; wait = Longer(wait))
        {
            foreach (var chain in waiting.ToList())
            {
                if (await IsSettled(chain, cancellation))
                {
                    waiting.Remove(chain);
                }
            }

            if (waiting.Count > 0)
            {
                await Task.Delay(wait, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private ChainSegment? Reportable(Chain chain) =>
        chain.WriteSegment is { Ensemble.Count: > 1 } open && node.Find(open.Id) is { State: SegmentState.Open or SegmentState.Fenced } ? open : null;

    private async Task<bool> IsSettled(Chain chain, CancellationToken cancellation)
    {
        try
        {
            if (host.IsOpen && host.Chains.Of(chain.LogId) is { } newest && Reportable(newest) is { } open)
            {
                await chains.OpenWriteSegment(chain.LogName, open.Id, batchBytes: 0).WaitAsync(cancellation);
            }

            return true;
        }
        catch (Exception e) when (e is TimeoutException or OrleansException or ObjectDisposedException)
        {
            LogStaysOpen(chain.LogName, e.Message);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false; // the silo is stopping
        }
    }

    private static TimeSpan Longer(TimeSpan wait) => wait * 2 < LongestWait ? wait * 2 : LongestWait;

    private async Task CatchUp(Catalogue catalogue, CancellationToken cancellation)
    {
        var held = host.Store.Segments.Select(segment => (segment.Header.LogId, segment.Header.LogName))
            .Concat(host.Chains.All.Select(chain => (chain.LogId, chain.LogName))).Distinct().ToList();
        foreach (var (logId, logName) in held)
        {
            if (catalogue.Deleted.Contains(logId))
            {
                node.Forget(logId);
                continue;
            }

            var chain = (await records.ReadChain(logName, cancellation))?.Value;
            var saved = host.Chains.Of(logId);
            if (chain?.LogId != logId)
            {
                LogStranger(logName, logId);
            }
            else if (saved is not null && saved.Version > chain.Version)
            {
                LogRolledBack(logName, chain.Version, saved.Version);
            }
            else
            {
                Announce(chain);
            }
        }
    }

    private void Announce(Chain chain)
    {
        try
        {
            node.Announce(chain);
        }
        catch (StorageException e)
        {
            // One log's file failed; the others go on.
            LogNotFollowed(chain.LogName, chain.Version, e.Message);
        }
    }
}

using KawaOrleans.Server.Protocol;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Registers the node with the chain store, then catches up on the chains that changed while it was away and sets aside the files of logs
/// that were deleted. Until it is registered the node serves what it holds and does not vote.</summary>
internal sealed partial class ClusterJoin : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly TimeSpan StartMayWait = TimeSpan.FromSeconds(5);

    private readonly NodeHost _host;
    private readonly LocalNode _node;
    private readonly ChainChanger _changer;
    private readonly OpenSegmentReports _reports;
    private readonly IChainRecords _records;
    private readonly NodeRegistration _registration;
    private readonly TimeProvider _time;
    private readonly ILogger<ClusterJoin> _logger;
    private readonly CancellationTokenSource _stopping = new();
    private Task _joining = Task.CompletedTask;
    private volatile bool _isStarting = true;
    private Task _reporting = Task.CompletedTask;
    private volatile string? _whyNotJoined = "it has not tried yet";

    public ClusterJoin(
        NodeHost host, LocalNode node, ChainChanger changer, OpenSegmentReports reports, IChainRecords records, INodeRecords nodes, TimeProvider time, ILogger<ClusterJoin> logger)
    {
        (_host, _node, _changer, _reports, _records, _time, _logger) = (host, node, changer, reports, records, time, logger);
        _registration = new NodeRegistration(nodes, () => host.Store.ToDirectory(), Keep, Guid.NewGuid);
    }

    /// <summary>Why the node takes no new segments, or null once it joined.</summary>
    public string? WhyNotJoined => _whyNotJoined;

    public void Participate(ISiloLifecycle observer)
    {
        // Before others see the silo: calls for a node's name go to the silo that came last, even if its directory is then refused.
        observer.Subscribe<ClusterJoin>(ServiceLifecycleStage.BecomeActive - 1, RegisterEarly);
        observer.Subscribe<ClusterJoin>(ServiceLifecycleStage.Active + 1, Start, Stop);
    }

    public void Dispose() => _stopping.Dispose();

    /// <summary>One attempt, good enough unless the store is away or new: then the other nodes have to be asked.</summary>
    private async Task RegisterEarly(CancellationToken cancellation)
    {
        try
        {
            if (await _records.ReadCatalogue(cancellation) is { } catalogue)
            {
                await Register(catalogue.Value, cancellation);
            }
        }
        catch (ChainStoreException e)
        {
            _whyNotJoined = e.Message;
            _host.Wait(e.Message);
            LogNotJoined(_host.Name, e.Problem, e.Message);
        }
        catch (NodeRefusedException e)
        {
            // The start ends here: whoever sets the directory right finds it free.
            Refuse(e);
            await _host.Release();
            throw;
        }
    }

    /// <summary>The start waits a while, so that a started silo usually has joined; a directory that is refused ends it.</summary>
    private async Task Start(CancellationToken cancellation)
    {
        _joining = Task.Run(() => JoinUntilDone(_stopping.Token), cancellation);
        await Task.WhenAny(_joining, Task.Delay(StartMayWait, _time, cancellation));
        _isStarting = false;
        if (_joining.IsCompleted)
        {
            await _joining;
        }
    }

    private async Task Stop(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        await Task.WhenAny(Task.WhenAll(_joining, _reporting), Task.Delay(StartMayWait, _time, cancellation));
    }

    private async Task JoinUntilDone(CancellationToken cancellation)
    {
        for (var wait = new GrowingWait(_time); !cancellation.IsCancellationRequested; await wait.Next(cancellation))
        {
            try
            {
                var catalogue = await _changer.Join(cancellation);
                await Register(catalogue, cancellation);
                await CatchUp(catalogue, cancellation);
                _whyNotJoined = null;
                LogJoined(_host.Name, catalogue.Cookie);
                _reporting = Task.Run(() => _reports.Run(cancellation), CancellationToken.None);
                return;
            }
            catch (ChainStoreException e)
            {
                _whyNotJoined = e.Message;
                _host.Wait(e.Message);
                LogNotJoined(_host.Name, e.Problem, e.Message);
            }
            catch (NodeRefusedException e)
            {
                Refuse(e);
                if (_isStarting)
                {
                    await _host.Release();
                    throw;
                }
            }
            catch (StorageException e)
            {
                _whyNotJoined = e.Message;
                LogRefused(_host.Name, e.Message);
                throw;
            }
            catch (Exception e) when (e is OperationCanceledException or NodeUnavailableException or ObjectDisposedException)
            {
                return; // the silo is stopping
            }
        }
    }

    /// <summary>Stops voting when another copy of the directory was started beside this one. Late by then: it bounds the harm, it does not prevent it.</summary>
    public async Task Recheck(Catalogue catalogue, CancellationToken cancellation)
    {
        if (await _registration.Recheck(catalogue, cancellation) is { } refusal)
        {
            Refuse(refusal);
            throw refusal;
        }
    }

    private async Task Register(Catalogue catalogue, CancellationToken cancellation)
    {
        await _registration.Register(catalogue, cancellation);
        await _host.Run(store =>
        {
            store.JoinCluster(catalogue.Cookie);
            return true;
        });
        _host.Admit();
    }

    private Task<bool> Keep(IReadOnlyList<NodeRecord> starts) => _host.Run(store =>
    {
        store.KeepStarts(starts);
        return true;
    });

    private void Refuse(NodeRefusedException refusal)
    {
        _whyNotJoined = refusal.Message;
        _host.Refuse(refusal);
        LogRefused(_host.Name, refusal.Message);
    }

    private async Task CatchUp(Catalogue catalogue, CancellationToken cancellation)
    {
        var held = _host.Store.Segments.Select(segment => (segment.Header.LogId, segment.Header.LogName))
            .Concat(_host.Chains.All.Select(chain => (chain.LogId, chain.LogName))).Distinct().ToList();
        foreach (var (logId, logName) in held)
        {
            if (catalogue.Deleted.Contains(logId))
            {
                _node.Forget(logId);
                continue;
            }

            var chain = (await _records.ReadChain(logName, cancellation))?.Value;
            var saved = _host.Chains.Of(logId);
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
            _node.Announce(chain);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One log's file failed; the others go on.
            LogNotFollowed(chain.LogName, chain.Version, e.Message);
        }
    }
}

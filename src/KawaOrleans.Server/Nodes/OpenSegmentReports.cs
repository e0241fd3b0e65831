using KawaOrleans.Server.Logs;
using KawaOrleans.Storage;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace KawaOrleans.Server.Nodes;

/// <summary>Has segments ended that a node that starts finds open: their writer may have gone with this node, or while it was away, and until they are
/// ended nobody knows what of them is acknowledged. One that is written goes on.</summary>
internal sealed partial class OpenSegmentReports(NodeHost host, LocalNode node, ChainSource chains, TimeProvider time, ILogger<OpenSegmentReports> logger)
{
    /// <summary>Reports each segment of several replicas that is open here and perhaps written by nobody, until that is settled or the silo stops.</summary>
    public async Task Run(CancellationToken cancellation)
    {
        var wait = new GrowingWait(time);
        var waiting = host.Chains.All.Where(chain => Reportable(chain) is not null).ToList();
        while (waiting.Count > 0 && !cancellation.IsCancellationRequested)
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
                await wait.Next(cancellation);
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

    [LoggerMessage(1407, LogLevel.Warning, "The open segment of log {Log} was written when this node stopped and cannot be ended yet: {Reason}")]
    private partial void LogStaysOpen(string log, string reason);
}

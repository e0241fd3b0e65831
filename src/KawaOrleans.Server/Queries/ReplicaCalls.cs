using KawaOrleans.Server.Nodes;
using Orleans.Runtime;

namespace KawaOrleans.Server.Queries;

/// <summary>Asks whichever replica of a segment answers. One that is away, behind or damaged is passed over for the next, and so is one whose node gives no
/// sign of life: a call to a silo that just died is not answered before its own, long timeout.</summary>
internal sealed class ReplicaCalls(IGrainFactory grains, NodesClient nodes, TimeProvider time)
{
    private static readonly TimeSpan SignAfter = TimeSpan.FromMilliseconds(500);

    private readonly ReplicaOrder _order = new(time);

    /// <param name="segmentId">The segment.</param>
    /// <param name="ensemble">Its nodes, the primary first.</param>
    /// <param name="call">What to ask, without effects. Its token is cancelled when the answer is no longer wanted.</param>
    /// <param name="cancellation">The asker's.</param>
    /// <exception cref="SegmentUnavailableException">No replica answered.</exception>
    public async Task<T> Ask<T>(
        Guid segmentId, IReadOnlyList<string> ensemble, Func<ISegmentGrain, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        if (ensemble.Count == 1)
        {
            return await call(Grain(segmentId, ensemble[0]), cancellation);
        }

        var failures = new List<ReplicaFailure>();
        foreach (var node in _order.Of(segmentId, ensemble))
        {
            try
            {
                var answer = await AskOne(segmentId, node, call, cancellation);
                _order.Answered(node);
                return answer;
            }
            catch (KawaException e) when (e is not RequestRefusedException)
            {
                _order.Failed(segmentId, node, e);
                failures.Add(new ReplicaFailure(node, e.Message, e.IsRetryable));
            }
        }

        throw new SegmentUnavailableException(segmentId, failures);
    }

    private async Task<T> AskOne<T>(Guid segmentId, string node, Func<ISegmentGrain, CancellationToken, Task<T>> call, CancellationToken cancellation)
    {
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var answer = call(Grain(segmentId, node), abandoned.Token);
        try
        {
            while (await Task.WhenAny(answer, Task.Delay(SignAfter, time, abandoned.Token)) != answer)
            {
                cancellation.ThrowIfCancellationRequested();
                var sign = nodes.Report(node, cancellation);
                var first = await Task.WhenAny(answer, sign, Task.Delay(SignAfter, time, abandoned.Token));
                if (first != answer && !(first == sign && (await sign).IsKnown))
                {
                    throw new NodeUnavailableException(node, $"it gave no sign of life for {SignAfter.TotalSeconds * 2:0.#} s");
                }
            }

            return await answer;
        }
        catch (Exception e) when (e is TimeoutException or (OrleansException and not KawaException))
        {
            throw new NodeUnavailableException(node, e.Message);
        }
        finally
        {
            if (!answer.IsCompleted)
            {
                // Nobody waits for it any more; its error is nobody's.
                _ = answer.ContinueWith(static done => _ = done.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            }

            await abandoned.CancelAsync();
        }
    }

    private ISegmentGrain Grain(Guid segmentId, string node) => grains.GetGrain<ISegmentGrain>(segmentId, node, null);
}

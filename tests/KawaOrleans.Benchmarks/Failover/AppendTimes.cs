using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster;

namespace KawaOrleans.Benchmarks.Failover;

/// <summary>Callers that append one event after another, and when each append began and was acknowledged. An append that fails ends the run.</summary>
internal sealed class AppendTimes
{
    private readonly List<(long Began, long Told, long Position, Guid Id)>[] _each;
    private readonly Task[] _callers;
    private volatile bool _stopped;

    public AppendTimes(ILog log, int callers)
    {
        _each = [.. Enumerable.Range(0, callers).Select(static _ => new List<(long, long, long, Guid)>())];
        _callers = [.. _each.Select(mine => Task.Run(async () =>
        {
            while (!_stopped)
            {
                var e = SampleEvents.Next();
                var began = Stopwatch.GetTimestamp();
                var appended = await log.AppendAsync(EventBatch.Of(e));
                mine.Add((began, Stopwatch.GetTimestamp(), appended.First, e.Id));
            }
        }))];
    }

    /// <summary>All of them, in the order they were acknowledged.</summary>
    public (long Began, long Told, long Position, Guid Id)[] Stop()
    {
        _stopped = true;
        Measuring.Wait.For(() => Task.WhenAll(_callers));
        return [.. _each.SelectMany(static mine => mine).OrderBy(static append => append.Told)];
    }
}

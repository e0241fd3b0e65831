using System.Diagnostics;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Cluster.Rows;

/// <summary>kill -9 of the silo that owns a log, under load: when does every caller know?</summary>
internal static class DeadOwner
{
    private const int InFlight = 16;
    private static readonly TimeSpan LoadBeforeKill = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static Row Row { get; } = new("failure", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        using var cluster = new SiloCluster(run, 2);
        var owner = cluster.Silos[1];
        var log = LogOn(cluster, owner.Node);
        var appends = new List<double>();
        var reads = new List<double>();
        var appendErrors = new HashSet<string>();
        var readErrors = new HashSet<string>();
        for (var round = 0; round < run.Pick(1, 5); round++)
        {
            var clock = new Stopwatch();
            var writers = Enumerable.Range(0, InFlight).Select(_ => UntilError(() => log.AppendAsync(SampleEvents.Single()), clock, appendErrors)).ToList();
            var readers = Enumerable.Range(0, InFlight).Select(_ => UntilError(() => log.TryReadAsync(0), clock, readErrors)).ToList();
            Thread.Sleep(LoadBeforeKill);
            clock.Start();
            owner.Kill();
            appends.Add(Wait.For(() => Task.WhenAll(writers)).Max());
            reads.Add(Wait.For(() => Task.WhenAll(readers)).Max());
            owner.Start();
            Again(() => log.AppendAsync(SampleEvents.Single()));
        }

        foreach (var (id, times, errors) in ((string, List<double>, HashSet<string>)[])[("append", appends, appendErrors), ("read", reads, readErrors)])
        {
            yield return new Figure
            {
                Id = $"failure.{id}",
                Title = $"kill -9 of the owner to the typed error of the last of {InFlight} {id}s",
                Unit = Unit.Seconds,
                Goal = Goal.AtMost(2),
                Value = times.Max(),
                Detail = $"{times.Count} {(times.Count == 1 ? "kill" : "kills")}: {string.Join(", ", times.Select(UnitText.Seconds))}; errors: {string.Join(", ", errors.Order())}",
            };
        }
    }

    private static ILog LogOn(SiloCluster cluster, string node)
    {
        while (true)
        {
            var log = cluster.NewLog("owned");
            Wait.For(() => log.AppendAsync(SampleEvents.Single()));
            if (Wait.For(() => log.DescribeAsync()).Chain.WriteSegment!.Primary == node)
            {
                return log;
            }
        }
    }

    /// <summary>Calls until a call fails with an error of ours, and answers how long after the kill that was. Any other error ends the run.</summary>
    private static Task<double> UntilError(Func<Task> call, Stopwatch sinceKill, HashSet<string> errors) => Task.Run(async () =>
    {
        while (true)
        {
            try
            {
                await call();
            }
            catch (KawaException e)
            {
                var seconds = sinceKill.Elapsed.TotalSeconds;
                lock (errors)
                {
                    errors.Add(e.GetType().Name);
                }

                return seconds;
            }
        }
    });

    private static void Again(Func<Task> call)
    {
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                Wait.For(call);
                return;
            }
            catch (KawaException) when (waited.Elapsed < Limit)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(100));
            }
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using Xunit.Abstractions;

namespace KawaOrleans.Faults.Tests.Replicas;

/// <summary>Does something to silos while callers append to a log and a reader reads it, as many rounds as are wanted (<c>KAWA_FAULT_ROUNDS</c>, one by
/// default), each with a log of its own, and holds the log against what was told.</summary>
internal sealed class FaultRounds(ReplicatedCluster cluster, ITestOutputHelper output)
{
    private const int Before = 10;

    private static readonly int Rounds =
        int.TryParse(Environment.GetEnvironmentVariable("KAWA_FAULT_ROUNDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) ? rounds : 1;

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public async Task RunAsync(Func<ReplicatedLoad, Task> act)
    {
        for (var round = 0; round < Rounds; round++)
        {
            try
            {
                await using var load = new ReplicatedLoad(await cluster.CreateLogAsync());
                await load.ProgressAsync(Before);
                await act(load);
                var (violations, figures) = await load.FinishAsync();
                Say(figures);
                Assert.Empty(violations);
            }
            catch
            {
                foreach (var line in cluster.Silos.All.SelectMany(static silo => silo.Output.TakeLast(40)))
                {
                    output.WriteLine(line);
                }

                throw;
            }
        }
    }

    public void Say(string what) => output.WriteLine($"{_clock.Elapsed.TotalSeconds:F1} s: {what}");
}

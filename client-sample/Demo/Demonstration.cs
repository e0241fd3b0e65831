using System.Diagnostics;
using KawaOrleans.ClientSample.Cluster;
using KawaOrleans.ClientSample.Ndjson;
using Spectre.Console;

namespace KawaOrleans.ClientSample.Demo;

/// <summary>What <c>dotnet run</c> shows: a cluster that takes real events, gives all of them back, and still has them after a restart.</summary>
internal sealed class Demonstration(IAnsiConsole console)
{
    private const int Logs = 6;
    private const string Orders = "orders";

    /// <summary>Small, so that logs roll: each gets several segments.</summary>
    private static readonly LogOptions SmallSegments = new() { SegmentBytes = 1024 * 1024 };

    /// <summary>Runs it in a directory of its own.</summary>
    /// <returns>0 when everything read was what had been written, 1 otherwise.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var directory = Directory.CreateTempSubdirectory("kawa-sample-").FullName;
        try
        {
            return await RunInAsync(directory, cancellation);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<int> RunInAsync(string directory, CancellationToken cancellation)
    {
        var total = Stopwatch.StartNew();
        var path = Path.Combine(AppContext.BaseDirectory, "data", "orleans-file-changes.ndjson.gz");
        var file = await EventFile.CheckAsync(path, Limits.MaxEventBytesFor(SmallSegments.SegmentBytes), cancellation);
        var parts = await WrittenLog.SplitAsync(file, Logs, cancellation);
        var outcome = new Outcome { Events = file.Events };
        OrderDesk desk;

        console.MarkupLineInterpolated($"Three silos start on [blue]{directory}[/] …");
        await using (var cluster = await OwnCluster.StartAsync(directory, cancellation))
        {
            outcome.WriteTime = await WriteAsync(cluster.EventStore, parts, file.Events, cancellation);
            console.MarkupLine("All events are read back with parallel range queries, and counted by aggregations …");
            outcome.ReadTime = await CheckAsync(cluster.EventStore, parts, outcome, cancellation);
            console.MarkupLineInterpolated($"{OrderDesk.Count} orders are placed, and for each of them eight clerks take the money at once: one gets it …");
            desk = new OrderDesk(await cluster.EventStore.CreateLogAsync(Orders, cancellation: cancellation));
            outcome.Mismatches.AddRange(await desk.WorkAsync(cancellation));
        }

        console.MarkupLine("The whole cluster was stopped; it starts again on the same directories …");
        await using (var cluster = await OwnCluster.StartAsync(directory, cancellation))
        {
            outcome.ReadTimeAfterRestart = await CheckAsync(cluster.EventStore, parts, outcome, cancellation);
            outcome.Mismatches.AddRange(await desk.FindDifferencesAsync(cluster.EventStore.Log(Orders), cancellation));
            await DescribeAsync(cluster.EventStore, parts, outcome, cancellation);
        }

        outcome.TotalTime = total.Elapsed;
        console.Write(outcome.ToTable());
        outcome.Mismatches.ForEach(mismatch => console.MarkupLineInterpolated($"[red]{mismatch}[/]"));
        return outcome.Mismatches.Count == 0 ? 0 : 1;
    }

    private async Task<TimeSpan> WriteAsync(IEventStoreClient store, IReadOnlyList<WrittenLog> parts, long events, CancellationToken cancellation)
    {
        foreach (var part in parts)
        {
            await store.CreateLogAsync(part.Name, SmallSegments, cancellation);
        }

        var time = Stopwatch.StartNew();
        await console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var bar = progress.AddTask("Importing", maxValue: events);

                // One after another at first: a new log goes to the node that has the fewest to write.
                foreach (var part in parts)
                {
                    bar.Increment(await part.AppendNextAsync(store, cancellation));
                }

                await Task.WhenAll(parts.Select(async part =>
                {
                    while (await part.AppendNextAsync(store, cancellation) is var appended and > 0)
                    {
                        bar.Increment(appended);
                    }
                }));
            });
        return time.Elapsed;
    }

    private static async Task<TimeSpan> CheckAsync(
        IEventStoreClient store, IReadOnlyList<WrittenLog> parts, Outcome outcome, CancellationToken cancellation)
    {
        var time = Stopwatch.StartNew();
        var differences = await Task.WhenAll(parts.Select(part => part.FindDifferencesAsync(store, cancellation)));
        var elapsed = time.Elapsed;
        differences = [.. differences, .. await Task.WhenAll(parts.Select(part => part.FindMiscountsAsync(store, cancellation)))];
        outcome.Mismatches.AddRange(differences.SelectMany(static found => found));
        return elapsed;
    }

    private static async Task DescribeAsync(
        IEventStoreClient store, IReadOnlyList<WrittenLog> parts, Outcome outcome, CancellationToken cancellation)
    {
        foreach (var part in parts)
        {
            var log = await store.Log(part.Name).DescribeAsync(cancellation);
            outcome.Logs.Add(log);
            if (log.Events != part.Events || log.WhyNotWritable is not null)
            {
                outcome.Mismatches.Add($"{part.Name}: {part.Events} events were written, {log.Events} are described. {log.WhyNotWritable}");
            }
        }
    }
}

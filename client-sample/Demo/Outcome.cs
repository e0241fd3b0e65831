using System.Globalization;
using KawaOrleans.ClientSample.Cluster;
using Spectre.Console;

namespace KawaOrleans.ClientSample.Demo;

/// <summary>What the demonstration found.</summary>
internal sealed class Outcome
{
    public required long Events { get; init; }

    public TimeSpan WriteTime { get; set; }

    public TimeSpan ReadTime { get; set; }

    public TimeSpan ReadTimeAfterRestart { get; set; }

    public TimeSpan TotalTime { get; set; }

    /// <summary>The logs as they are at the end.</summary>
    public List<LogDescription> Logs { get; } = [];

    /// <summary>What was not read as it had been written, a sentence each.</summary>
    public List<string> Mismatches { get; } = [];

    public Table ToTable()
    {
        var segments = Logs.SelectMany(static log => log.Segments).ToList();
        var perNode = OwnCluster.Nodes.Select(node => $"{node}: {segments.Count(segment => segment.Node == node)}");
        var table = new Table().RoundedBorder().AddColumn("KawaOrleans").AddColumn(new TableColumn("").RightAligned());
        table.AddRow("Events", Number(Events));
        table.AddRow("Bytes of event frames", Number(Logs.Sum(static log => log.Bytes)));
        table.AddRow("Logs", Number(Logs.Count));
        table.AddRow("Segments per node", string.Join(", ", perNode));
        table.AddRow("Rolls", Number(segments.Count - Logs.Count));
        table.AddRow("Written, events/s", Rate(WriteTime));
        table.AddRow("Read and compared, events/s", Rate(ReadTime));
        table.AddRow("The same after the restart", Rate(ReadTimeAfterRestart));
        table.AddRow("Orders, each paid once", Number(OrderDesk.Count));
        table.AddRow("Read what was written", Mismatches.Count == 0 ? "[green]yes, every event, before and after[/]" : $"[red]no: {Mismatches.Count} mismatches[/]");
        table.AddRow("Seconds in all", TotalTime.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture));
        return table;
    }

    private string Rate(TimeSpan time) => Number((long)(Events / time.TotalSeconds));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}

using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Servers.Rows;

/// <summary>What an event with 100 bytes of data takes on disk.</summary>
internal static class BytesPerEvent
{
    private const int Events = 100_000;

    public static Row Row { get; } = new("disk-bytes", Measure);

    private static IEnumerable<Figure> Measure(Run run)
    {
        foreach (var server in RunningServers.Of(run).All)
        {
            server.FillTo(Events);
            yield return new Figure
            {
                Id = $"disk-bytes.{server.Name}",
                Title = $"{server.Name}: bytes on disk per event, 100 bytes of data",
                Unit = Unit.Bytes,
                Value = server.DiskBytes() / (double)server.Events,
                Detail = $"{server.Events} events{(server.Name == "postgresql" ? "; table and indexes, without its log" : "")}",
            };
        }
    }
}

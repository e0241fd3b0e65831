using System.Globalization;
using Spectre.Console;

namespace KawaOrleans.ClientSample;

/// <summary>A log's description, for people.</summary>
internal static class LogTable
{
    public static Table Of(LogDescription log)
    {
        var table = new Table().RoundedBorder()
            .Title(Markup.Escape($"{log.Chain.LogName}: {Number(log.Events)} events, {Number(log.Bytes)} bytes"))
            .AddColumns("Segment", "Positions", "Node", "State", "Events", "Bytes used", "Problem");
        var listedById = log.Chain.Segments.ToDictionary(static segment => segment.Id);
        foreach (var found in log.Replicas)
        {
            var listed = listedById[found.SegmentId];
            table.AddRow(
                listed.Id.ToString("N")[..8],
                $"{Number(listed.Base)} – {(listed.End is { } end ? Number(end) : "open")}",
                Markup.Escape(found.Node),
                found.State.ToString(),
                found.Stats is { Events: var events } ? Number(events) : "",
                found.Stats is { UsedBytes: var used } ? Number(used) : "",
                Markup.Escape(found.Problem ?? ""));
        }

        return log.WhyNotWritable is { } reason ? table.Caption(Markup.Escape($"takes no appends now: {reason}")) : table;
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}

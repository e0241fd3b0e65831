using System.Globalization;
using KawaOrleans.Storage;
using KawaOrleans.Storage.Inspection;
using Spectre.Console;

namespace KawaOrleans.Cli.Inspecting;

/// <summary>What was found, for people.</summary>
internal static class InspectionTable
{
    public static void Write(Terminal terminal, InspectedDirectory? directory, IReadOnlyList<InspectedSegment> segments, IReadOnlyList<UntrustedFile> untrusted)
    {
        if (directory?.Identity is { } node)
        {
            terminal.Output.WriteLine($"node '{node.Name}', id {node.Id:N}, cluster {node.Cookie?.ToString("N") ?? "not joined yet"}");
        }

        foreach (var log in segments.GroupBy(static s => (s.Header!.LogId, s.Header.LogName)))
        {
            var chain = directory?.Chains.FirstOrDefault(c => c.LogId == log.Key.LogId);
            var table = new Table().RoundedBorder()
                .Title(Markup.Escape($"{log.Key.LogName} ({log.Key.LogId:N}), {(chain is null ? "no chain saved" : $"chain version {chain.Version}")}"))
                .AddColumns("Segment", "State", "Base", "End", "Events", "Bytes used", "of", "Opened", "Fenced at", "Sealed at", "Footer", "Torn bytes");
            foreach (var s in log)
            {
                table.AddRow(
                    s.Header!.Identity.ToString(),
                    $"{s.States?.State}{(s.LostPower ? ", lost power" : "")}",
                    Number(s.Header.BasePosition),
                    Number(s.Tail?.Position),
                    Number(s.Events),
                    Number(s.Tail?.Offset),
                    Number(s.FileBytes),
                    s.States?.Opened is { } opened ? $"{Time(opened.Ticks)} {opened.Durability}" : "",
                    Number(s.States?.Fenced?.Tail.Position),
                    Number(s.States?.End?.End.Position),
                    s.Footer == FooterState.NotYet ? "" : s.Footer.ToString(),
                    Number(s.TornBytes));
            }

            terminal.Tables.Write(table);
        }

        foreach (var chain in directory?.Chains.Where(c => segments.All(s => s.Header!.LogId != c.LogId)) ?? [])
        {
            terminal.Output.WriteLine($"log '{chain.LogName}' ({chain.LogId:N}): chain version {chain.Version}, no segment here");
        }

        foreach (var file in untrusted)
        {
            terminal.Output.WriteLine($"not trusted: {file.Problem}");
        }
    }

    private static string Time(long ticks) => ticks < 0 || ticks > DateTime.MaxValue.Ticks
        ? $"{ticks} ticks"
        : new DateTime(ticks, DateTimeKind.Utc).ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Number(long? value) => value?.ToString("N0", CultureInfo.InvariantCulture) ?? "";
}

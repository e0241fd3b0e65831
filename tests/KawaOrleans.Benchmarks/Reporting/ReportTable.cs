using Spectre.Console;
using Spectre.Console.Rendering;

namespace KawaOrleans.Benchmarks.Reporting;

/// <summary>A report for people.</summary>
internal static class ReportTable
{
    private const int LeastWidth = 170;

    public static void Write(Report report, IAnsiConsole console)
    {
        // A pipe has no width of its own, and a table folded into 80 columns cannot be read.
        console.Profile.Width = Math.Max(console.Profile.Width, LeastWidth);
        foreach (var (name, value) in report.Conditions)
        {
            console.MarkupLineInterpolated($"[grey]{name,-12}[/] {value}");
        }

        var hasLimits = report.Figures.Any(f => f.OfLimit is not null);
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(new TableColumn("id").NoWrap());
        table.AddColumn("figure");
        table.AddColumn(new TableColumn("value").RightAligned().NoWrap());
        table.AddColumn(new TableColumn("must").RightAligned().NoWrap());
        table.AddColumn(new TableColumn("aim").RightAligned().NoWrap());
        if (hasLimits)
        {
            table.AddColumn(new TableColumn("of limit").RightAligned().NoWrap());
        }

        table.AddColumn(new TableColumn("verdict").NoWrap());
        table.AddColumn("measured");
        foreach (var figure in report.Figures)
        {
            IEnumerable<IRenderable> cells =
            [
                new Text(figure.Id),
                new Text(figure.Title),
                new Text(figure.Value is { } value ? figure.Unit.Write(value) : "–"),
                new Text(figure.Goal is { } goal ? Limit(goal, goal.Must, figure.Unit) : ""),
                new Text(figure.Goal is { Aim: { } aim } aimed ? Limit(aimed, aim, figure.Unit) : ""),
                .. hasLimits ? [new Text(figure.OfLimit is { } share ? UnitText.Text($"{share:P0}") : "")] : Array.Empty<IRenderable>(),
                Said(figure.Verdict),
                new Text(figure.Detail),
            ];
            table.AddRow(cells);
        }

        console.Write(table);
        var judged = report.Figures.Where(f => f.Goal is not null).ToList();
        console.MarkupLineInterpolated(
            $"{judged.Count(f => f.Verdict is Verdict.Aim or Verdict.Reached)} of {judged.Count} reached, {judged.Count(f => f.Verdict == Verdict.Aim)} at the aim, {judged.Count(f => f.Verdict == Verdict.Missed)} missed, {judged.Count(f => f.Verdict == Verdict.NotMeasured)} not measured; took {report.Took.TotalSeconds:0} s");
    }

    private static string Limit(Goal goal, double limit, Unit unit) => $"{(goal.IsCeiling ? "≤" : "≥")} {unit.Write(limit)}";

    private static Markup Said(Verdict verdict) => new(verdict switch
    {
        Verdict.Aim => "[green]aim[/]",
        Verdict.Reached => "[green]reached[/]",
        Verdict.Missed => "[red]MISSED[/]",
        Verdict.NotMeasured => "[yellow]not measured[/]",
        _ => "[grey]–[/]",
    });
}

using System.CommandLine;
using System.Diagnostics;
using KawaOrleans;
using KawaOrleans.Benchmarks;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Cluster.Silos;
using KawaOrleans.Benchmarks.Engine;
using KawaOrleans.Benchmarks.Failover;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Benchmarks.Reporting;
using KawaOrleans.Benchmarks.Servers;
using KawaOrleans.Benchmarks.Streams;
using Spectre.Console;

if (args is [SiloRole.Name, .. var siloArguments])
{
    return await SiloRole.RunAsync(siloArguments);
}

Suite[] suites = [new EngineSuite(), new ClusterSuite(), new StreamsSuite(), new FailoverSuite(), new PeersSuite()];

var root = new RootCommand("Measures KawaOrleans against what it must reach. Build with -c Release; leave the machine alone meanwhile.");
foreach (var suite in suites)
{
    root.Subcommands.Add(CommandFor(suite));
}

return await root.Parse(args).InvokeAsync();

static Command CommandFor(Suite suite)
{
    var quick = new Option<bool>("--quick") { Description = "Smaller sizes and fewer rounds, for every day." };
    var json = new Option<FileInfo?>("--json") { Description = "Also write the report to this file.", HelpName = "FILE" };
    var check = new Option<bool>("--check") { Description = "Exit with 1 when a figure misses what it must reach, or could not be measured." };
    var only = new Option<string?>("--only") { Description = "Only the figures whose id begins so.", HelpName = "ID" };
    var kawaTransport = new Option<bool>("--kawa-transport") { Description = "Silos and clients use UseKawaTransport; else the framework's transport." };
    var command = new Command(suite.Name, suite.Description) { quick, json, check, only, kawaTransport };
    command.SetAction(parsed =>
    {
        var report = Execute(suite, parsed.GetValue(quick), parsed.GetValue(only), parsed.GetValue(kawaTransport));
        ReportTable.Write(report, AnsiConsole.Console);
        if (parsed.GetValue(json) is { } file)
        {
            ReportJson.Write(report, file.FullName);
        }

        if (report.Figures.Count == 0)
        {
            Console.Error.WriteLine($"No figure's id begins with '{parsed.GetValue(only)}'. Rows: {string.Join(", ", suite.Rows.Select(r => r.Id))}.");
            return 2;
        }

        return parsed.GetValue(check) && !report.Passes ? 1 : 0;
    });
    return command;
}

static Report Execute(Suite suite, bool quick, string? only, bool kawaTransport)
{
#if DEBUG
    Console.Error.WriteLine("This is a debug build: its figures mean nothing. Use -c Release.");
#endif
    using var scratch = new Scratch();
    var conditions = new Dictionary<string, string>();
    foreach (var (name, value) in Machine.Facts(scratch.Root).Concat(suite.Peers))
    {
        conditions[name] = value;
    }

    if (kawaTransport)
    {
        conditions["transport"] = "UseKawaTransport";
    }

    var started = Stopwatch.GetTimestamp();
    using var fixtures = new Fixtures();
    var run = new Run(quick, scratch, fixtures, only, kawaTransport);
    var figures = new List<Figure>();
    foreach (var row in suite.Rows.Where(r => run.Wants(r.Id)))
    {
        var rowStarted = Stopwatch.GetTimestamp();
        Console.Error.Write($"{row.Id} … ");
        try
        {
            foreach (var figure in row.Measure(run).Where(f => run.Wants(f.Id)))
            {
                figures.Add(figure);
            }
        }
        catch (Exception failed) when (failed is KawaException or InvalidOperationException or TimeoutException or IOException)
        {
            // Servers may fail in ways that the other rows do not share; what was measured before is not thrown away.
            figures.Add(Figure.Failed(row.Id, failed));
        }

        Console.Error.WriteLine(UnitText.Text($"{Stopwatch.GetElapsedTime(rowStarted).TotalSeconds:0.0} s"));
    }

    return new Report(suite.Name, quick, conditions, figures, Stopwatch.GetElapsedTime(started));
}

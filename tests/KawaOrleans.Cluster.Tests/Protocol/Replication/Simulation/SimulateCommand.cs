using System.Diagnostics;
using System.Globalization;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Runs as many seeds as one likes, and says how far it is: <c>simulate --seeds N [--from S] [--bug NAME]</c>.</summary>
internal static class SimulateCommand
{
    public const string Name = "simulate";

    private static readonly string Usage = $"simulate --seeds N [--from S] [--bug {string.Join('|', Enum.GetNames<PlantedBug>())}]";

    /// <summary>0: nothing broke; 1: something did, and the seed's story was printed; 2: the arguments make no sense.</summary>
    public static int Run(string[] args)
    {
        var bug = PlantedBug.None;
        var isPlanted = Value(args, "--bug") is { } name && Enum.TryParse(name, out bug);
        if (Number(args, "--seeds") is not { } count || args.Length != 2 + (Number(args, "--from") is null ? 0 : 2) + (isPlanted ? 2 : 0))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var first = Number(args, "--from") ?? 1;
        var seeds = new Seeds(first, count, bug);
        var clock = Stopwatch.StartNew();
        seeds.Run(Environment.ProcessorCount, () => Say($"{seeds.Ran} of {count} seeds"));
        Say($"{seeds.Ran} seeds from {first}, {seeds.Ran / clock.Elapsed.TotalSeconds:F0} a second: {seeds.Swaps} chain swaps, {seeds.Acknowledgements} answers");
        Say(seeds.Incidents.ToString());
        if (seeds.Broken is not { } broken)
        {
            Say("nothing broke");
            return 0;
        }

        Console.WriteLine(Seeds.Replay(broken.Seed, bug, int.MaxValue));
        Say($"seed {broken.Seed} broke: {broken.What}");
        return 1;

        void Say(string what) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds,6:F0} s: {what}"));
    }

    private static int? Number(string[] args, string name) =>
        int.TryParse(Value(args, name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static string? Value(string[] args, string name) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
}

using System.Diagnostics;
using System.Globalization;

namespace KawaOrleans.Cluster.Tests.Protocol.Replication.Simulation;

/// <summary>Runs as many seeds as one likes, and says how far it is: <c>simulate --seeds N [--from S]</c>.</summary>
internal static class SimulateCommand
{
    public const string Name = "simulate";

    private const string Usage = "simulate --seeds N [--from S]";

    /// <summary>0: nothing broke; 1: something did, and the seed's story was printed; 2: the arguments make no sense.</summary>
    public static int Run(string[] args)
    {
        if (Number(args, "--seeds") is not { } count || args.Length != (Number(args, "--from") is null ? 2 : 4))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var first = Number(args, "--from") ?? 1;
        var seeds = new Seeds(first, count);
        var clock = Stopwatch.StartNew();
        seeds.Run(Environment.ProcessorCount, () => Say($"{seeds.Ran} of {count} seeds"));
        Say($"{seeds.Ran} seeds from {first}, {seeds.Ran / clock.Elapsed.TotalSeconds:F0} a second: {seeds.Swaps} chain swaps, {seeds.Acknowledgements} answers");
        Say(seeds.Incidents.ToString());
        if (seeds.Broken is not { } broken)
        {
            Say("nothing broke");
            return 0;
        }

        Console.WriteLine(Seeds.Replay(broken.Seed, PlantedBug.None, int.MaxValue));
        Say($"seed {broken.Seed} broke: {broken.What}");
        return 1;

        void Say(string what) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds,6:F0} s: {what}"));
    }

    private static int? Number(string[] args, string name) =>
        Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length
        && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>Which of the writes that no sync covered reach the disk when the power goes.</summary>
internal sealed class Survival
{
    private readonly string _name;
    private readonly Func<int, int, int, int> _versionOf;
    private readonly Func<int, int> _namesKept;
    private readonly bool _keepsLength;

    private Survival(string name, Func<int, int, int, int> versionOf, Func<int, int> namesKept, bool keepsLength)
    {
        _name = name;
        _versionOf = versionOf;
        _namesKept = namesKept;
        _keepsLength = keepsLength;
    }

    public static Survival None { get; } = new("nothing unsynced kept", (_, _, _) => -1, _ => 0, keepsLength: false);

    public static Survival All { get; } = new("everything kept", (_, _, count) => count - 1, count => count, keepsLength: true);

    /// <summary>Each unit of so many sectors keeps a version of its own, older ones included; creations and renames keep a prefix.</summary>
    public static Survival Some(int seed, int unitSectors)
    {
        var choice = new Random(seed);
        return new Survival(
            $"seed {seed}, units of {unitSectors} sectors",
            (file, sector, count) => (int)(Mix(seed, file, sector / unitSectors) % (uint)(count + 1)) - 1,
            count => choice.Next(count + 1),
            choice.Next(2) == 0);
    }

    public int VersionOf(int file, int sector, int count) => _versionOf(file, sector, count);

    public int NamesKept(int count) => _namesKept(count);

    public bool KeepsLength() => _keepsLength;

    public override string ToString() => _name;

    // HashCode.Combine differs from one run to the next; a seed must not. The last steps are those of SplitMix64.
    private static ulong Mix(int a, int b, int c)
    {
        unchecked
        {
            var z = ((((ulong)(uint)a * 0x9E3779B97F4A7C15) + (uint)b) * 0x9E3779B97F4A7C15) + (uint)c;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}

using System.Text;

namespace KawaOrleans.Silo.Configuration;

/// <summary>The short switches, in front of .NET's own <c>--Section:Key value</c> form, which works as well.</summary>
internal static class CommandLine
{
    private static readonly (string Switch, string Value, string Key, string Meaning)[] Switches =
    [
        ("--data", "DIR", "Kawa:DataDirectory", "segment files of this node; one directory for each silo [./kawa-data]"),
        ("--node", "NAME", "Kawa:NodeName", "this node's name, the same after every restart [node-1]"),
        ("--chain-store", "DIR", "Kawa:ChainStorePath", "the chains; one directory for all silos of this machine [./kawa-chains]"),
        ("--redis", "HOST:PORT", "Kawa:Redis", "chains and membership for silos on several machines, instead of --chain-store and --join"),
        ("--join", "HOST:PORT", "Kawa:Join", "address and silo port of the cluster's first silo [this is the first]"),
        ("--replicas", "N", "Kawa:Replicas", "on how many nodes new logs lie: 1, 2, 3 or 5; the same for all silos [1]"),
        ("--address", "IP", "Kawa:AdvertisedAddress", "where silos and clients reach this one [127.0.0.1]"),
        ("--silo-port", "PORT", "Kawa:SiloPort", "for other silos [11111]"),
        ("--gateway-port", "PORT", "Kawa:GatewayPort", "for clients [30000]"),
        ("--http-port", "PORT", "Kawa:HttpPort", "for /health/live and /health/ready [8080]"),
        ("--cluster-id", "ID", "Kawa:ClusterId", "silos and clients of one cluster share it [kawa]"),
        ("--service-id", "ID", "Kawa:ServiceId", "the application's name across its clusters [kawa]"),
        ("--log-format", "FORMAT", "Logging:Console:FormatterName", "simple, json or systemd [simple]"),
    ];

    public static IDictionary<string, string> Mappings { get; } = Switches.ToDictionary(static s => s.Switch, static s => s.Key, StringComparer.OrdinalIgnoreCase);

    public static string Help { get; } = WriteHelp();

    public static bool AsksForHelp(IReadOnlyList<string> args) => args.Any(static arg => arg is "--help" or "-h" or "-?");

    /// <summary>Why these arguments cannot be taken, or null when they can. .NET's own reader passes over what it does not know
    /// and over a last switch without a value; a mistyped <c>--data</c> would start a node in the wrong place.</summary>
    public static string? WhyNot(IReadOnlyList<string> args)
    {
        for (var i = 0; i < args.Count; i++)
        {
            var name = args[i].Split('=', 2)[0];
            if (!name.StartsWith("--", StringComparison.Ordinal))
            {
                return $"'{args[i]}' is not an option";
            }

            if (!Mappings.ContainsKey(name) && !name.Contains(':', StringComparison.Ordinal))
            {
                return $"there is no option '{name}'";
            }

            if (args[i].Length > name.Length)
            {
                continue;
            }

            if (++i == args.Count || args[i].StartsWith("--", StringComparison.Ordinal))
            {
                return $"option '{name}' needs a value";
            }
        }

        return null;
    }

    /// <summary>The switch that sets an option of the Kawa section.</summary>
    public static string SwitchFor(string option) => Switches.Single(s => s.Key == $"{KawaNodeOptions.Section}:{option}").Switch;

    private static string WriteHelp()
    {
        var help = new StringBuilder("A KawaOrleans silo: one node of an event store.\n\n");
        foreach (var (name, value, _, meaning) in Switches)
        {
            help.Append("  ").Append($"{name} {value}".PadRight(26)).Append(meaning).Append('\n');
        }

        return help.Append(
            "\nThe same options are Kawa:DataDirectory etc. in appsettings.json, Kawa__DataDirectory etc. in the environment.\n").ToString();
    }
}

using System.Globalization;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Loopback;
using KawaOrleans.Silo.Configuration;

namespace KawaOrleans.Benchmarks.Cluster.Silos;

/// <summary>One silo in a process of its own, with its own data directory and the runtime settings of <c>silo/</c>. It can be killed
/// and started again at the same place.</summary>
internal sealed class SiloProcess(string folder, string node, SiloProcess? first, bool kawaTransport) : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly int _siloPort = Ports.Take();
    private Leash? _leash;

    public string Node { get; } = node;

    public int GatewayPort { get; } = Ports.Take();

    public string DataDirectory { get; } = Path.Combine(folder, node);

    public int ProcessId => _leash!.ProcessId;

    /// <summary>Unless null, how many bytes a second it heals from its next start on, in the place of the product's own limit.</summary>
    public long? HealingBytesPerSecond { get; set; }

    /// <summary>Starts it and returns when it takes connections of clients.</summary>
    public void Start()
    {
        var here = AppContext.BaseDirectory;
        string[] command =
        [
            "dotnet", "exec",
            "--runtimeconfig", Path.Combine(here, $"{typeof(KawaNodeOptions).Assembly.GetName().Name}.runtimeconfig.json"),
            typeof(SiloProcess).Assembly.Location, SiloRole.Name, Node, DataDirectory, Path.Combine(folder, "chains"),
            Text(_siloPort), Text(GatewayPort), Text(HealingBytesPerSecond ?? 0), kawaTransport.ToString(), .. first is null ? Array.Empty<string>() : [Text(first._siloPort)],
        ];
        _leash?.Dispose();
        _leash = Leash.Start(Path.Combine(folder, $"{Node}.log"), folder, command);
        _leash.Await(StartLimit, () => Ports.IsOpen(GatewayPort));
    }

    /// <summary>kill -9: no hook of the process runs.</summary>
    public void Kill() => _leash!.Kill();

    public void Dispose() => _leash?.Dispose();

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}

using System.Diagnostics;
using System.Globalization;
using KawaOrleans.Loopback;

namespace KawaOrleans.Tests.Redis;

/// <summary>A redis-server of a test's own on the loopback address, whose append-only file is synced before each answer: what docs/OPERATIONS.md asks for.
/// It can be killed and started again on its files.</summary>
internal sealed class RedisProcess : IDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly int _port = Ports.Take();
    private readonly string _folder = Directory.CreateTempSubdirectory("kawa-redis-").FullName;
    private Process? _process;

    private RedisProcess() => Start();

    /// <summary>Why there is none here, or null.</summary>
    public static string? WhyNot { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(static folder => File.Exists(Path.Combine(folder, "redis-server"))) ? null : "redis-server is not installed (Debian: apt-get install redis-server)";

    /// <summary>As a silo and a client are told of it.</summary>
    public string Place => $"127.0.0.1:{_port}";

    public int Port => _port;

    /// <summary>Starts one; skips the test where there is none.</summary>
    public static RedisProcess StartOrSkip()
    {
        Skip.If(WhyNot is not null, WhyNot);
        return new RedisProcess();
    }

    public void Start()
    {
        string[] arguments =
        [
            "--port", _port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
            "--logfile", Path.Combine(_folder, "log"),
        ];
        _process = Process.Start("redis-server", arguments);
        for (var waited = Stopwatch.StartNew(); !Ports.IsOpen(_port); Thread.Sleep(10))
        {
            if (_process.HasExited || waited.Elapsed > StartLimit)
            {
                throw new InvalidOperationException($"redis-server did not start: {File.ReadAllText(Path.Combine(_folder, "log"))}");
            }
        }
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process!.Kill();
        _process.WaitForExit();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Its files as they are now; while it does not run, a backup.</summary>
    public Dictionary<string, byte[]> Copy() =>
        Directory.EnumerateFiles(Data, "*").ToDictionary(static file => file, File.ReadAllBytes);

    /// <summary>Puts a backup in the place of its files; it must not run.</summary>
    public void Restore(Dictionary<string, byte[]> copy)
    {
        Directory.Delete(Data, recursive: true);
        Directory.CreateDirectory(Data);
        foreach (var (file, bytes) in copy)
        {
            File.WriteAllBytes(file, bytes);
        }
    }

    public void Dispose()
    {
        if (_process is not null)
        {
            Kill();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private string Data => Path.Combine(_folder, "appendonlydir");
}

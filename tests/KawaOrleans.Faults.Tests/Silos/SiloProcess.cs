using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using KawaOrleans.Loopback;

namespace KawaOrleans.Faults.Tests.Silos;

/// <summary>One silo as an operator runs it: a process of its own with a data directory of its own. It can be killed and started
/// again at the same place.</summary>
internal sealed class SiloProcess(string folder, string node, IReadOnlyList<string> clustering, NetworkPlace? place = null) : IDisposable
{
    private const int SIGTERM = 15;
    private const int SIGCONT = 18;
    private const int SIGSTOP = 19;

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly ConcurrentQueue<string> _output = new();
    private readonly int _httpPort = Ports.Take();
    private Process? _process;

    public string Node { get; } = node;

    /// <summary>Where others reach it.</summary>
    public string Address { get; } = place?.Address ?? "127.0.0.1";

    /// <summary>True while the process runs.</summary>
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The running process.</summary>
    public int ProcessId => _process!.Id;

    public int SiloPort { get; } = Ports.Take();

    public int GatewayPort { get; } = Ports.Take();

    /// <summary>Where it keeps its files.</summary>
    public string DataDirectory { get; } = Path.Combine(folder, node);

    /// <summary>All it said since the first start.</summary>
    public IEnumerable<string> Output => _output;

    /// <summary>Starts the process and returns when it reports to be ready and well, or at least ready: one with a damaged file is not well.</summary>
    public async Task StartAsync(TimeSpan within, bool orDegraded = false)
    {
        _output.Enqueue($"--- {Node} starts");
        _process?.Dispose();
        var start = new ProcessStartInfo(place is null ? "dotnet" : "ip") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        string[] arguments =
        [
            .. place is null ? Array.Empty<string>() : ["netns", "exec", place.Namespace, "dotnet"],
            SiloAssembly(), "--node", Node, "--address", Address, "--data", DataDirectory,
            "--silo-port", $"{SiloPort}", "--gateway-port", $"{GatewayPort}", "--http-port", $"{_httpPort}",
            .. clustering,
        ];
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        _process = process;
        await UntilReadyAsync(process, within, orDegraded);
    }

    /// <summary>kill -9: no hook of the process runs.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _output.Enqueue($"--- {Node} killed");
        _process.Dispose();
        _process = null;
    }

    /// <summary>SIGSTOP: it stands still, and its connections stay open. Returns when every thread does.</summary>
    public async Task PauseAsync()
    {
        _ = NativeMethods.Kill(ProcessId, SIGSTOP);
        while (Directory.EnumerateDirectories($"/proc/{ProcessId}/task").Any(static task => !File.ReadAllText($"{task}/stat").Contains(") T ", StringComparison.Ordinal)))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1));
        }
    }

    /// <summary>SIGCONT: it goes on as if no time had passed.</summary>
    public void GoOn() => _ = NativeMethods.Kill(ProcessId, SIGCONT);

    /// <summary>Asks it to stop, as a supervisor does, and returns its exit code.</summary>
    public async Task<int> StopAsync(TimeSpan within)
    {
        var process = _process!;
        _ = NativeMethods.Kill(process.Id, SIGTERM);
        using var late = new CancellationTokenSource(within);
        await process.WaitForExitAsync(late.Token);
        var code = process.ExitCode;
        process.Dispose();
        _process = null;
        return code;
    }

    public void Dispose()
    {
        if (_process is { } process)
        {
            process.Kill();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
        {
            _output.Enqueue(line);
        }
    }

    private async Task UntilReadyAsync(Process process, TimeSpan within, bool orDegraded)
    {
        for (var waited = Stopwatch.StartNew(); !await IsReadyAsync(orDegraded);)
        {
            if (process.HasExited || waited.Elapsed > within)
            {
                if (process.HasExited)
                {
                    await process.WaitForExitAsync(); // until its last words are here
                }

                var why = process.HasExited ? $"ended with exit code {process.ExitCode} before it was ready" : $"was not ready within {within}";
                Assert.Fail($"{Node} {why}:\n{string.Join('\n', _output.TakeLast(60))}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private async Task<bool> IsReadyAsync(bool orDegraded)
    {
        try
        {
            using var answer = await Http.GetAsync(new Uri($"http://{Address}:{_httpPort}/health/ready"));
            return answer.StatusCode == HttpStatusCode.OK && await answer.Content.ReadFromJsonAsync<Health>() is { Status: var status }
                && (status == "Healthy" || (orDegraded && status == "Degraded"));
        }
        catch (Exception notListening) when (notListening is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    /// <summary>The silo of this repository, built in the same configuration as this test.</summary>
    private static string SiloAssembly()
    {
        var built = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var root = built.Parent!.Parent!.Parent!.Parent!.Parent!;
        var assembly = Path.Combine(root.FullName, "silo", "bin", built.Parent.Name, built.Name, "KawaOrleans.Silo.dll");
        return File.Exists(assembly) ? assembly : throw new FileNotFoundException("The silo is not built in this configuration.", assembly);
    }

    private sealed record Health(string Status);
}

using System.Diagnostics;
using System.Globalization;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>Another program that runs no longer than this one: a shell beside it reads from a pipe of this process, and kills the program
/// when the pipe ends, however this process ended.</summary>
internal sealed class Leash : IDisposable
{
    private const string Script =
        "log=$1; shift; \"$@\" </dev/null >>\"$log\" 2>&1 & child=$!; echo $child; exec 2>/dev/null; read -r signal || signal=KILL; kill -\"$signal\" $child; wait $child";

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(20);

    private readonly Process _shell;
    private readonly string _log;

    private Leash(Process shell, int processId, string log)
    {
        _shell = shell;
        ProcessId = processId;
        _log = log;
    }

    public int ProcessId { get; }

    /// <summary>True once the program has ended by itself or was killed.</summary>
    public bool HasEnded => ProcFile.State(ProcessId) is null or 'Z' or 'X';

    /// <param name="log">Takes what the program writes; the end of it is in the errors of this class.</param>
    /// <param name="folder">Where it runs.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Set for the program, besides what this process has.</param>
    public static Leash Start(string log, string folder, IReadOnlyList<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("sh") { RedirectStandardInput = true, RedirectStandardOutput = true, WorkingDirectory = folder };
        foreach (var argument in (IEnumerable<string>)["-c", Script, "leash", log, .. command])
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        var shell = Process.Start(start)!;
        var child = shell.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"{command[0]} was not started.");
        return new Leash(shell, int.Parse(child, CultureInfo.InvariantCulture), log);
    }

    /// <summary>Calls <paramref name="isReady"/> until it answers true.</summary>
    /// <exception cref="InvalidOperationException">The program ended first, or took too long.</exception>
    public void Await(TimeSpan within, Func<bool> isReady)
    {
        for (var waited = Stopwatch.StartNew(); !isReady();)
        {
            if (HasEnded || waited.Elapsed > within)
            {
                throw new InvalidOperationException($"{(HasEnded ? "It ended before it was ready" : $"It was not ready within {within}")}: {LastLines()}");
            }

            Thread.Sleep(TimeSpan.FromMilliseconds(5));
        }
    }

    /// <summary>Sends a signal and returns once the program is gone; kills it when that takes too long.</summary>
    public void End(string signal = "KILL")
    {
        if (!_shell.HasExited)
        {
            _shell.StandardInput.WriteLine(signal);
            _shell.StandardInput.Close();
        }

        if (!_shell.WaitForExit(EndLimit))
        {
            ProcFile.Kill(ProcessId);
            _shell.WaitForExit();
        }
    }

    /// <summary>kill -9, at once: it is gone when this returns, or about to be.</summary>
    public void Kill() => ProcFile.Kill(ProcessId);

    public void Dispose()
    {
        End();
        _shell.Dispose();
    }

    private string LastLines() => File.Exists(_log) ? string.Join(" | ", File.ReadLines(_log).TakeLast(15)) : "it said nothing";
}

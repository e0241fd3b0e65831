using System.Globalization;
using System.Runtime.InteropServices;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>What Linux tells of another process.</summary>
internal static partial class ProcFile
{
    private const int SIGKILL = 9;

    /// <summary>Its state's letter, or null when there is no such process.</summary>
    public static char? State(int processId)
    {
        try
        {
            // "pid (name) state …": the name may hold anything, a closing bracket too.
            var stat = File.ReadAllText($"/proc/{processId}/stat");
            return stat[stat.LastIndexOf(')') + 2];
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Memory of its own that is resident: heaps, stacks, and compiled code, which the runtime keeps in shared memory; no mapped files.</summary>
    public static long OwnBytes(int processId) => File.ReadLines($"/proc/{processId}/status")
        .Where(line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Sum(line => long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);

    /// <summary>Processor time it has used.</summary>
    public static TimeSpan Processor(int processId)
    {
        var stat = File.ReadAllText($"/proc/{processId}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromSeconds((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / 100.0);
    }

    public static void Kill(int processId) => _ = kill(processId, SIGKILL);

    [LibraryImport("libc")]
    private static partial int kill(int processId, int signal);
}

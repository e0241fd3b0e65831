using System.Runtime;
using System.Runtime.InteropServices;
using KawaOrleans.Benchmarks.Reporting;

namespace KawaOrleans.Benchmarks.Measuring;

/// <summary>What the figures depend on besides the code.</summary>
internal static class Machine
{
    public static IEnumerable<(string Name, string Value)> Facts(string directory)
    {
        yield return ("machine", UnitText.Text(
            $"{Processor()}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30):0.#} GiB, {RuntimeInformation.OSDescription}"));
        yield return ("disk", $"{new DriveInfo(directory).DriveFormat}{Mount(directory)}");
        yield return ("runtime", $"{RuntimeInformation.FrameworkDescription}, {(GCSettings.IsServerGC ? "server" : "workstation")} GC, {GCSettings.LatencyMode}");
        yield return ("load", $"{LoadAverage()} (1, 5, 15 min) when it began");
    }

    private static string Processor() =>
        FirstLine("/proc/cpuinfo", "model name")?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();

    private static string LoadAverage() =>
        File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)) : "unknown";

    private static string Mount(string directory)
    {
        if (!File.Exists("/proc/mounts"))
        {
            return "";
        }

        var mount = File.ReadLines("/proc/mounts").Select(line => line.Split(' '))
            .Where(m => m.Length > 3 && (directory + "/").StartsWith(m[1].TrimEnd('/') + "/", StringComparison.Ordinal))
            .MaxBy(m => m[1].Length);
        return mount is null ? "" : $" ({mount[3]})";
    }

    private static string? FirstLine(string path, string prefix) =>
        File.Exists(path) ? File.ReadLines(path).FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal)) : null;
}

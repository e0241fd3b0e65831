using System.Globalization;

namespace KawaOrleans.Faults.Tests.Soaking;

/// <summary>What a process holds of the system.</summary>
/// <param name="Handles">Open files and sockets.</param>
/// <param name="OwnBytes">Resident memory of its own: heaps, stacks, compiled code; no mapped files.</param>
internal readonly record struct Footprint(int Handles, long OwnBytes)
{
    public static Footprint Of(int processId) => new(Directory.GetFileSystemEntries($"/proc/{processId}/fd").Length, OwnBytesOf(processId));

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Handles} handles, {OwnBytes >> 20} MiB");

    private static long OwnBytesOf(int processId) => File.ReadLines($"/proc/{processId}/status")
        .Where(static line => line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssShmem:", StringComparison.Ordinal))
        .Sum(static line => long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024);
}

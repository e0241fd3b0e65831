namespace KawaOrleans.Storage.Volumes;

/// <summary>Names the operating system's current run. Where it gives no name, every process is taken for a new run: what was only
/// in the page cache is then doubted needlessly, never trusted wrongly.</summary>
internal static class BootId
{
    private const string LinuxPath = "/proc/sys/kernel/random/boot_id";

    public static Guid Current { get; } = Read();

    public static bool IsCurrent(Guid boot) => boot == Current;

    private static Guid Read() =>
        File.Exists(LinuxPath) && Guid.TryParse(File.ReadAllText(LinuxPath), out var boot) ? boot : Guid.NewGuid();
}

using System.Diagnostics;

namespace KawaOrleans.Storage.Tests.Faults;

/// <summary>A disk of its own, small enough to fill: a tmpfs, which only root may mount.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TestDirectory _directory = new();
    private readonly string _ballast;
    private readonly bool _mounted;

    public SmallDisk(int kibibytes)
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "needs root to mount a small tmpfs");
        _mounted = Run("mount", "-t", "tmpfs", "-o", $"size={kibibytes}k", "tmpfs", _directory.Path) == 0;
        _ballast = _directory.File("ballast");
        if (!_mounted)
        {
            _directory.Dispose();
            Skip.If(true, "mounting a tmpfs is not allowed here");
        }
    }

    public string Path => _directory.File("data");

    /// <summary>Takes the room that is left, all but so much.</summary>
    public void Fill(int leftBytes = 0)
    {
        var free = new DriveInfo(_directory.Path).AvailableFreeSpace;
        File.WriteAllBytes(_ballast, new byte[free - leftBytes]);
        Assert.Equal(leftBytes, new DriveInfo(_directory.Path).AvailableFreeSpace);
    }

    public void Free() => File.Delete(_ballast);

    public void Dispose()
    {
        // Lazy: a map lives until it is collected.
        Assert.Equal(0, Run("umount", "--lazy", _directory.Path));
        _directory.Dispose();
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode;
    }
}

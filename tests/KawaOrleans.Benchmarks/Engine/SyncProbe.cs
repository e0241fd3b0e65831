using System.Diagnostics;
using System.Runtime.InteropServices;
using KawaOrleans.Benchmarks.Measuring;
using Microsoft.Win32.SafeHandles;

namespace KawaOrleans.Benchmarks.Engine;

/// <summary>What one sync of the disk takes: a write in place into a file that was written before, and a data sync.</summary>
internal sealed partial class SyncProbe : IDisposable
{
    private const int FileBytes = 4 << 20;

    private readonly SafeFileHandle _file;
    private readonly byte[] _bytes;
    private long _offset;

    public SyncProbe(string folder, int writeBytes)
    {
        _bytes = new byte[writeBytes];
        _file = File.OpenHandle(Path.Combine(folder, "sync-probe"), FileMode.CreateNew, FileAccess.ReadWrite);
        RandomAccess.Write(_file, new byte[FileBytes], 0);
        DataSync(_file);
    }

    /// <summary>The median of some syncs, in seconds.</summary>
    public double Seconds(int times) => Comparison.MedianOf(Each(times));

    /// <summary>The longest of some syncs, in seconds.</summary>
    public double Longest(int times) => Each(times).Max();

    /// <summary>What each of some syncs took, in seconds.</summary>
    public double[] Each(int times)
    {
        var taken = new double[times];
        for (var i = 0; i < times; i++)
        {
            unchecked
            {
                _bytes[0]++;
            }

            var started = Stopwatch.GetTimestamp();
            RandomAccess.Write(_file, _bytes, _offset);
            DataSync(_file);
            taken[i] = Stopwatch.GetElapsedTime(started).TotalSeconds;
            _offset = _offset + (2 * _bytes.Length) > FileBytes ? 0 : _offset + _bytes.Length;
        }

        return taken;
    }

    /// <summary>Syncs a file's data, without its times where the system offers that.</summary>
    public static void DataSync(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);
        }
        else if (fdatasync(file) != 0)
        {
            throw new IOException($"fdatasync: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle file);
}

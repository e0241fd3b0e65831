using FASTER.core;

namespace KawaOrleans.Benchmarks.Engine.Peers;

/// <summary>FasterLog, with its per-entry checksum on, as ours cannot be turned off.</summary>
internal sealed unsafe class FasterLogPeer : IPeer
{
    public static readonly PeerPresence Presence = PeerPresence.Probe(
        "FasterLog", () => $"Microsoft.FASTER.Core {PeerPresence.PackageVersion("Microsoft.FASTER.Core")}");

    private const int PageBits = 22;

    private readonly IDevice _device;
    private readonly FasterLog _log;
    private readonly long _begin;

    private FasterLogPeer(string folder, IDevice device, int memoryBits, bool recover)
    {
        _device = device;
        _log = new FasterLog(new FasterLogSettings
        {
            LogDevice = device,
            LogCommitDir = folder,
            PageSize = 1L << PageBits,
            MemorySize = 1L << memoryBits,
            SegmentSize = 1L << 30,
            LogChecksum = LogChecksumType.PerEntry,
            TryRecoverLatest = recover,
        });
        _begin = recover ? _log.BeginAddress : _log.TailAddress;
    }

    public string Name => Presence.Name;

    /// <summary>Writes to a file; keeps the last 2^<paramref name="memoryBits"/> bytes in memory.</summary>
    public static FasterLogPeer OnDisk(string folder, int memoryBits, bool recover = false) =>
        new(folder, Devices.CreateLogDevice(Path.Combine(folder, "hlog.log"), preallocateFile: false, deleteOnClose: false), memoryBits, recover);

    /// <summary>Throws pages away instead of writing them: nothing but the enqueue itself is on the clock.</summary>
    public static FasterLogPeer InMemory(string folder, int memoryBits) => new(folder, new NullDevice(), memoryBits, recover: false);

    public void Enqueue(BodySize size, int events)
    {
        for (var i = 0; i < events; i++)
        {
            _log.Enqueue((ReadOnlySpan<byte>)size.Body(i));
        }
    }

    /// <summary>The same, and remembers where each went.</summary>
    public long[] EnqueueKeepingAddresses(BodySize size, int events)
    {
        var addresses = new long[events];
        for (var i = 0; i < events; i++)
        {
            addresses[i] = _log.Enqueue((ReadOnlySpan<byte>)size.Body(i));
        }

        return addresses;
    }

    public void AppendDurably(BodySize size, int batches)
    {
        for (var batch = 0; batch < batches; batch++)
        {
            Enqueue(size, BodySize.BatchEvents);
            _log.Commit(spinWait: true);
        }
    }

    public void Commit() => _log.Commit(spinWait: true);

    /// <summary>Reads everything in place, checked, and answers how many entries there were.</summary>
    public int Scan()
    {
        using var entries = _log.Scan(_begin, _log.TailAddress);
        var count = 0;
        var sum = 0L;
        while (entries.CurrentAddress < _log.TailAddress)
        {
            if (entries.UnsafeGetNext(out byte* entry, out _, out _, out var next))
            {
                sum += entry[0];
                count++;
                entries.UnsafeRelease();
                if (next >= _log.TailAddress)
                {
                    break;
                }
            }
            else if (!entries.WaitAsync().AsTask().GetAwaiter().GetResult())
            {
                break;
            }
        }

        return sum < 0 ? -1 : count;
    }

    /// <summary>Reads a committed entry. FasterLog takes it from its file, that is from the page cache, even when it is still in memory.</summary>
    public long Read(long address, int bytes)
    {
        var read = _log.ReadAsync(address, bytes);
        var (entry, length) = read.IsCompleted ? read.Result : read.AsTask().GetAwaiter().GetResult();
        return entry[0] + length;
    }

    public void Dispose()
    {
        _log.Dispose();
        _device.Dispose();
    }
}

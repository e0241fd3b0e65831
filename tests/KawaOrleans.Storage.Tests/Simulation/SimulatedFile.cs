using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>A file as the page cache has it, as the disk has it, and every version of each sector that may reach the disk at any moment.</summary>
internal sealed class SimulatedFile
{
    public const int SectorBytes = 512;

    // Room to grow in place, so that maps stay those of the file; a small segment and this are no large object to the collector.
    private const int SlackBytes = 16 * 1024;

    private static readonly byte[] ZeroSector = new byte[SectorBytes];

    private readonly Dictionary<int, List<byte[]>> _pending;
    private byte[] _cache;
    private byte[] _disk;

    /// <summary>A sync failed: the cache may show what the disk does not have, and nothing pending says so.</summary>
    private bool _differs;

    public SimulatedFile(int id, int length)
        : this(id, [], new byte[length + SlackBytes], new byte[length + SlackBytes]) => Length = length;

    private SimulatedFile(int id, Dictionary<int, List<byte[]>> pending, byte[] cache, byte[] disk) => (Id, _pending, _cache, _disk) = (id, pending, cache, disk);

    public int Id { get; }

    public int Length { get; private set; }

    public int DiskLength { get; private set; }

    public int Handles { get; set; }

    public bool HasWriter { get; set; }

    public Span<byte> Cache => _cache.AsSpan(0, Length);

    public int Read(long offset, Span<byte> buffer)
    {
        var read = (int)Math.Clamp(Length - offset, 0, buffer.Length);
        _cache.AsSpan((int)offset, read).CopyTo(buffer);
        return read;
    }

    public void Write(int offset, ReadOnlySpan<byte> bytes)
    {
        Grow(offset + bytes.Length);
        bytes.CopyTo(_cache.AsSpan(offset));
        for (var sector = offset / SectorBytes; sector * SectorBytes < offset + bytes.Length; sector++)
        {
            if (!_pending.TryGetValue(sector, out var versions))
            {
                _pending[sector] = versions = [];
            }

            var there = _cache.AsSpan(sector * SectorBytes, SectorBytes);
            versions.Add(there.ContainsAnyExcept((byte)0) ? there.ToArray() : ZeroSector);
        }
    }

    public void Grow(int length)
    {
        Length = Math.Max(Length, length);
        if (Length > _cache.Length)
        {
            Array.Resize(ref _cache, Length + SlackBytes);
            Array.Resize(ref _disk, Length + SlackBytes);
        }
    }

    public void Sync()
    {
        foreach (var sector in _pending.Keys)
        {
            _cache.AsSpan(sector * SectorBytes, SectorBytes).CopyTo(_disk.AsSpan(sector * SectorBytes));
        }

        _pending.Clear();
        DiskLength = Length;
    }

    /// <summary>Turns over bits of a byte, on the disk and in the cache: the medium rots, and a page may be read again at any time.</summary>
    public void Flip(int offset, byte bits)
    {
        _cache[offset] ^= bits;
        _disk[offset] ^= bits;
    }

    /// <summary>What Linux does: the pages are marked clean, some of them never written; the cache goes on showing them.</summary>
    public void FailSync(Survival survival)
    {
        CopySurvivors(survival);
        _pending.Clear();
        _differs = true;
    }

    /// <summary>The file after the power went, with a write in flight of which these bytes arrived.</summary>
    public SimulatedFile AfterPowerLoss(Survival survival, (int Offset, byte[] Bytes)? arrived)
    {
        var lost = Clone();
        lost.LosePower(survival, arrived);
        return lost;
    }

    /// <summary>The same, of this file itself.</summary>
    public void LosePower(Survival survival, (int Offset, byte[] Bytes)? arrived)
    {
        var isSame = _pending.Count == 0 && !_differs && arrived is null && DiskLength == Length;
        var kept = survival.KeepsLength() ? Length : DiskLength;
        if (isSame)
        {
            return;
        }

        CopySurvivors(survival);
        if (arrived is var (offset, bytes) && bytes.Length > 0)
        {
            var from = offset / SectorBytes * SectorBytes;
            var to = Math.Min((offset + bytes.Length + SectorBytes - 1) / SectorBytes * SectorBytes, _cache.Length);
            _cache.AsSpan(from, to - from).CopyTo(_disk.AsSpan(from));
            bytes.CopyTo(_disk.AsSpan(offset));
            kept = Math.Max(kept, Math.Min(Length, to));
        }

        _disk.AsSpan(kept).Clear();
        _disk.CopyTo(_cache, 0);
        (Length, DiskLength, _differs) = (kept, kept, false);
        _pending.Clear();
    }

    public SimulatedFile Clone()
    {
        var copy = Inherit([.. _cache], [.. _disk], []);
        foreach (var (sector, versions) in _pending)
        {
            copy._pending[sector] = [.. versions];
        }

        return copy;
    }

    /// <summary>The file for the next process: nobody has it open. This one is used no more.</summary>
    public SimulatedFile Inherit() => Inherit(_cache, _disk, _pending);

    public IFileMap Map() => new CacheMap(_cache, Length);

    private SimulatedFile Inherit(byte[] cache, byte[] disk, Dictionary<int, List<byte[]>> pending) =>
        new(Id, pending, cache, disk) { Length = Length, DiskLength = DiskLength, _differs = _differs };

    private void CopySurvivors(Survival survival)
    {
        foreach (var (sector, versions) in _pending)
        {
            var version = survival.VersionOf(Id, sector, versions.Count);
            if (version >= 0)
            {
                versions[version].CopyTo(_disk, sector * SectorBytes);
            }
        }
    }

    private sealed class CacheMap(byte[] bytes, int length) : IFileMap
    {
        public long Length => length;

        public ReadOnlySpan<byte> Span(long offset, int count) => Memory(offset, count).Span;

        public ReadOnlyMemory<byte> Memory(long offset, int count)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + count, Length);
            return bytes.AsMemory((int)offset, count);
        }
    }
}

using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Tests.Simulation;

/// <summary>A file as the page cache has it, as the disk has it, and every version of each sector that may reach the disk at any moment.</summary>
internal sealed class SimulatedFile(int id, int length)
{
    public const int SectorBytes = 512;
    private const int SlackBytes = 64 * 1024;

    private readonly Dictionary<int, List<byte[]>> _pending = [];
    private byte[] _cache = new byte[length + SlackBytes];
    private byte[] _disk = new byte[length + SlackBytes];

    public int Id { get; } = id;

    public int Length { get; private set; } = length;

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

            versions.Add(_cache.AsSpan(sector * SectorBytes, SectorBytes).ToArray());
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

    /// <summary>What Linux does: the pages are marked clean, some of them never written; the cache goes on showing them.</summary>
    public void FailSync(Survival survival)
    {
        CopySurvivors(_disk, survival);
        _pending.Clear();
    }

    /// <summary>The file after the power went, with a write in flight of which these bytes arrived.</summary>
    public SimulatedFile AfterPowerLoss(Survival survival, (int Offset, byte[] Bytes)? arrived)
    {
        var lost = new SimulatedFile(Id, 0)
        {
            Length = survival.KeepsLength() ? Length : DiskLength,
            _disk = [.. _disk],
            _cache = new byte[_cache.Length],
        };
        CopySurvivors(lost._disk, survival);
        if (arrived is var (offset, bytes) && bytes.Length > 0)
        {
            var from = offset / SectorBytes * SectorBytes;
            var to = Math.Min((offset + bytes.Length + SectorBytes - 1) / SectorBytes * SectorBytes, _cache.Length);
            _cache.AsSpan(from, to - from).CopyTo(lost._disk.AsSpan(from));
            bytes.CopyTo(lost._disk.AsSpan(offset));
            lost.Length = Math.Max(lost.Length, Math.Min(Length, to));
        }

        lost._disk.AsSpan(lost.Length).Clear();
        lost._disk.CopyTo(lost._cache, 0);
        lost.DiskLength = lost.Length;
        return lost;
    }

    public SimulatedFile Clone()
    {
        var copy = new SimulatedFile(Id, Length) { DiskLength = DiskLength, _cache = [.. _cache], _disk = [.. _disk] };
        foreach (var (sector, versions) in _pending)
        {
            copy._pending[sector] = [.. versions];
        }

        return copy;
    }

    public IFileMap Map() => new CacheMap(_cache, Length);

    private void CopySurvivors(byte[] disk, Survival survival)
    {
        foreach (var (sector, versions) in _pending)
        {
            var version = survival.VersionOf(Id, sector, versions.Count);
            if (version >= 0)
            {
                versions[version].CopyTo(disk, sector * SectorBytes);
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

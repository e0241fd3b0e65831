using System.Buffers.Binary;
using System.Globalization;
using System.IO.Hashing;
using KawaOrleans.Format;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Streams;

/// <summary>Makes one run of several sources of heads that lie one behind another; where two know a stream, the newer counts.</summary>
internal sealed class HeadMerge
{
    public const string Extension = ".run";

    /// <summary>What follows the name of a run that is being made; such a file is removed at start.</summary>
    public const string Unfinished = ".new";

    private const string Prefix = "heads-";
    private const int StepBytes = 1024 * 1024;

    private readonly IVolumeFile _file;
    private readonly byte[] _step;
    private readonly List<uint> _index = [];
    private readonly byte[] _filter;
    private long _written = HeadRunLayout.PageBytes;
    private int _staged;
    private int _inBlock = HeadRunLayout.PageBytes;
    private long _streams;

    private HeadMerge(IVolumeFile file, int mostStreams, byte[] step)
    {
        (_file, _step) = (file, step);
        _filter = new byte[NameFilter.BytesFor(mostStreams)];
    }

    /// <summary>Writes the run, synced and under its name before it answers. The sources lie one behind another, the newest first.</summary>
    /// <exception cref="DiskFullException">No room; nothing is left behind.</exception>
    /// <exception cref="SegmentDamagedException">A source does not verify; nothing is left behind.</exception>
    public static HeadRun Run(IVolume volume, string folder, Guid logId, IReadOnlyList<IHeadSource> newestFirst)
    {
        var (from, to) = (newestFirst[^1].From, newestFirst[0].To);
        var path = PathOf(folder, from, to);
        volume.Delete(path + Unfinished);
        var step = PooledBytes.Rent(StepBytes);
        try
        {
            using var file = volume.Create(path + Unfinished, HeadRunLayout.PageBytes, Preparation.Allocated);
            new HeadMerge(file, checked((int)newestFirst.Sum(static source => source.Streams)), step).Write(logId, from, to, newestFirst);
        }
        catch
        {
            volume.Delete(path + Unfinished);
            throw;
        }
        finally
        {
            PooledBytes.Return(step);
        }

        volume.Rename(path + Unfinished, path);
        volume.SyncDirectory(folder);
        return HeadRun.TryOpen(volume, path) ?? throw new SegmentDamagedException(path, 0, "a run of heads does not read back as it was written");
    }

    /// <summary>The run's file.</summary>
    public static string PathOf(string folder, long from, long to) =>
        Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{from}-{to}{Extension}"));

    /// <summary>True for the name of a file that holds a run.</summary>
    public static bool IsRun(string fileName) =>
        fileName.StartsWith(Prefix, StringComparison.Ordinal) && fileName.EndsWith(Extension, StringComparison.Ordinal);

    private void Write(Guid logId, long from, long to, IReadOnlyList<IHeadSource> newestFirst)
    {
        var cursors = newestFirst.Select(static source => source.Read()).ToArray();
        var live = Array.ConvertAll(cursors, static cursor => cursor.MoveNext());
        while (Least(cursors, live) is var least and >= 0)
        {
            var entry = cursors[least].Current;
            Add(entry);
            for (var i = cursors.Length - 1; i >= least; i--)
            {
                // The one just written last: what it points at is gone when it moves.
                if (live[i] && (i == least || cursors[i].Current.CompareTo(entry) == 0))
                {
                    live[i] = cursors[i].MoveNext();
                }
            }
        }

        EndBlock();
        WriteStep();
        var layout = new HeadRunLayout(logId, from, to, _streams, _index.Count, _filter.Length);
        var index = new byte[layout.FilterOffset - layout.IndexOffset];
        for (var i = 0; i < _index.Count; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(index.AsSpan(sizeof(uint) * i), _index[i]);
        }

        var tables = new XxHash3();
        tables.Append(index);
        tables.Append(_filter);
        _file.SetLength(layout.FileBytes);
        _file.Write(layout.IndexOffset, index);
        _file.Write(layout.FilterOffset, _filter);
        _file.Write(0, layout.Encode(tables.GetCurrentHashAsUInt64()));
        _file.Sync();
    }

    /// <summary>The newest of the cursors that stand at the least entry; −1: all have ended.</summary>
    private static int Least(IHeadCursor[] cursors, bool[] live)
    {
        var least = -1;
        for (var i = 0; i < cursors.Length; i++)
        {
            if (live[i] && (least < 0 || cursors[i].Current.CompareTo(cursors[least].Current) < 0))
            {
                least = i;
            }
        }

        return least;
    }

    private void Add(HeadEntry entry)
    {
        if (_inBlock + entry.Bytes > HeadRunLayout.PageBytes)
        {
            EndBlock();
            _index.Add(entry.Hash);
            _inBlock = HeadRunLayout.HashBytes;
        }

        entry.Write(_step.AsSpan(_staged + _inBlock));
        _inBlock += entry.Bytes;
        NameFilter.Add(_filter, new StreamName(entry.Name).FullHash);
        _streams++;
    }

    private void EndBlock()
    {
        if (_index.Count == 0)
        {
            return;
        }

        var block = _step.AsSpan(_staged, HeadRunLayout.PageBytes);
        block[_inBlock..].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(block, XxHash3.HashToUInt64(block[HeadRunLayout.HashBytes..]));
        _staged += HeadRunLayout.PageBytes;
        if (_staged == StepBytes)
        {
            WriteStep();
        }
    }

    private void WriteStep()
    {
        if (_staged > 0)
        {
            _file.SetLength(_written + _staged);
            _file.Write(_written, _step.AsSpan(0, _staged));
            _written += _staged;
            _staged = 0;
        }
    }
}

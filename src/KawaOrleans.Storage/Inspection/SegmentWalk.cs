using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Recovery;
using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;
using KawaOrleans.Storage.Volumes;

namespace KawaOrleans.Storage.Inspection;

/// <summary>Reads every frame by positional reads, checks it and that it follows the one before, and goes on behind a bad place
/// at the next whole frame, so that every bad place is told and not only the first.</summary>
internal sealed class SegmentWalk(IVolumeFile file, SegmentHeader header, long limit)
{
    /// <summary>How many bytes of look-alikes are verified behind one bad place: beyond that the rest is not looked at.</summary>
    private const long LookAlikeBytes = 1L << 30;

    private readonly FrameReader _reader = new(file, header.Identity.ChecksumKey, limit);
    private readonly List<DamagedPlace> _damage = [];
    private readonly FooterDraft _footer = new(header.Predecessor is null ? NoHeads.Instance : null, UncoveredEvents.FirstEntries);
    private long _lastCheckpoint;
    private long _covered;
    private long _events;
    private long _groupStart;
    private bool _afterBadPlace;

    public IReadOnlyList<DamagedPlace> Damage => _damage;

    /// <summary>The relative position that comes next.</summary>
    public long Next => _footer.Next;

    public ulong Hash { get; private set; } = ContentHash.Empty;

    public long LastWholeEnd { get; private set; } = FileLayout.FirstFrame;

    private long LastTimestamp { get; set; } = header.TimestampFloor;

    /// <summary>The footer of the frames; it means something only if all were whole.</summary>
    public Footer Footer => _footer.ToFooter();

    /// <param name="full">True when frames must reach the limit; else the walk ends where no whole frame follows.</param>
    /// <param name="progress">Is told the offset.</param>
    /// <param name="visit">Is given each event frame that is whole and follows.</param>
    /// <param name="stopAtDamage">True to end at the first bad place.</param>
    /// <exception cref="SegmentUnreadableException">The medium failed.</exception>
    /// <exception cref="NotASegmentException">A whole frame is of a kind that this program does not know.</exception>
    public void Run(bool full, IProgress<long>? progress = null, Action<EventFrame>? visit = null, bool stopAtDamage = false)
    {
        var key = header.Identity.ChecksumKey;
        for (var offset = FileLayout.FirstFrame; offset < limit;)
        {
            progress?.Report(offset);

            // As many frames as lie whole in what was read at once: nearly all of them.
            var bytes = _reader.Bytes(offset, FrameLayout.HeaderBytes);
            while (Frame.TryRead(bytes, offset, key, out var frame) == FrameStatus.Whole)
            {
                if (!Pass(frame, full, visit) || (stopAtDamage && _damage.Count > 0))
                {
                    return;
                }

                offset = frame.End;
                bytes = bytes[frame.Bytes.Length..];
            }

            if (offset >= limit)
            {
                return;
            }

            // The next one reaches beyond that, or is not whole.
            var status = _reader.TryRead(offset, out var next);
            if (status == FrameStatus.Unknown)
            {
                throw new NotASegmentException(file.Path, $"the frame at offset {offset} is of a kind or has flags that this program does not know. Use the program that wrote it.");
            }

            if (status == FrameStatus.Whole)
            {
                if (!Pass(next, full, visit))
                {
                    return;
                }

                offset = next.End;
            }
            else
            {
                var resumed = NextWhole(offset);
                if (resumed < 0 && !full)
                {
                    return;
                }

                _damage.Add(new DamagedPlace(file.Path, offset, Described(status)));
                if (resumed < 0)
                {
                    return;
                }

                _afterBadPlace = true;
                offset = resumed;
            }

            if (stopAtDamage && _damage.Count > 0)
            {
                return;
            }
        }
    }

    /// <summary>Takes a whole frame; false when it is a footer at which the walk ends.</summary>
    private bool Pass(in Frame frame, bool full, Action<EventFrame>? visit)
    {
        if (frame.Kind == FrameKind.Footer && !full)
        {
            return false;
        }

        var isEvent = EventFrame.TryOpen(frame, header.BasePosition, out var opened);
        if (WhyNotNext(frame, isEvent) is { } reason)
        {
            _damage.Add(new DamagedPlace(file.Path, frame.Offset, reason));
        }
        else if (isEvent)
        {
            visit?.Invoke(opened);
        }

        // Behind a bad place the streams of what it held are unknown.
        if (Take(frame) is { } contradiction && _damage.Count == 0)
        {
            _damage.Add(new DamagedPlace(file.Path, frame.Offset, contradiction));
        }

        _events += isEvent ? 1 : 0;
        return true;
    }

    private static string Described(FrameStatus status) => status switch
    {
        FrameStatus.Nothing => "zeroes where a frame must be",
        FrameStatus.BadLength => "a length that no frame here has",
        _ => "a frame whose checksum does not match",
    };

    private string? WhyNotNext(in Frame frame, bool isEvent)
    {
        if (frame.Kind == FrameKind.Footer)
        {
            return "a footer before the end";
        }

        if (_afterBadPlace ? frame.RelativePosition < Next : frame.RelativePosition != Next)
        {
            return $"position {header.BasePosition + frame.RelativePosition} where {header.BasePosition + Next} comes next";
        }

        if (frame.Timestamp < LastTimestamp)
        {
            return "its timestamp is before that of the frame before it";
        }

        if (!_afterBadPlace && frame.GroupStart != frame.Offset && frame.GroupStart != _groupStart)
        {
            return "its write group is neither its own nor that of the frame before it";
        }

        return frame.Kind switch
        {
            FrameKind.Event when !isEvent => "its inner lengths or times make no sense",
            FrameKind.Checkpoint when _damage.Count == 0 && !Agrees(Checkpoint.Read(frame)) => "a checkpoint contradicts the frames before it",
            _ => null,
        };
    }

    private bool Agrees(Checkpoint? checkpoint) =>
        checkpoint is not null && checkpoint.Previous == _lastCheckpoint && checkpoint.ContentHash == Hash && checkpoint.Events == _events - _covered;

    private string? Take(in Frame frame)
    {
        _afterBadPlace = false;
        _groupStart = frame.GroupStart;
        LastTimestamp = frame.Timestamp;
        LastWholeEnd = frame.End;
        Hash = ContentHash.Add(Hash, frame);
        if (frame.Kind == FrameKind.Checkpoint)
        {
            _lastCheckpoint = frame.Offset;
            _covered = _events;
        }

        return _footer.Take(frame);
    }

    private long NextWhole(long bad)
    {
        var budget = LookAlikeBytes;
        for (var offset = bad + FrameLayout.Alignment; offset <= limit - FrameLayout.HeaderBytes;)
        {
            var bytes = _reader.Bytes(offset, FrameLayout.HeaderBytes);
            var zeroes = bytes.IndexOfAnyExcept((byte)0) is var first and >= 0 ? first : bytes.Length;
            if (zeroes >= FrameLayout.MaxZeroWordsBytes + FrameLayout.Alignment)
            {
                offset += zeroes - (zeroes % FrameLayout.Alignment) - FrameLayout.MaxZeroWordsBytes;
                continue;
            }

            var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[FrameLayout.Length..]);
            var position = BinaryPrimitives.ReadUInt32LittleEndian(bytes[FrameLayout.RelativePosition..]);
            if (length is >= FrameLayout.HeaderBytes and <= Limits.MaxEventBytes && bytes[FrameLayout.Kind] is > 0 and <= (byte)FrameKind.Footer && position >= Next)
            {
                budget -= length;
                if (budget < 0)
                {
                    return -1;
                }

                if (_reader.TryRead(offset, out _) == FrameStatus.Whole)
                {
                    return offset;
                }
            }

            offset += FrameLayout.Alignment;
        }

        return -1;
    }
}

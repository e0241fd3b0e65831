using KawaOrleans.Format;

namespace KawaOrleans;

/// <summary>Frames of one segment, just as they lie on disk, with what is needed to verify them where they arrive.</summary>
[GenerateSerializer, Immutable, Alias("kawa.frame-block")]
public sealed class FrameBlock
{
    /// <summary>The segment's id.</summary>
    [Id(0)]
    public required Guid SegmentId { get; init; }

    /// <summary>The generation of its content.</summary>
    [Id(1)]
    public required int Generation { get; init; }

    /// <summary>Its epoch.</summary>
    [Id(2)]
    public required long Epoch { get; init; }

    /// <summary>Its first position.</summary>
    [Id(3)]
    public required long BasePosition { get; init; }

    /// <summary>Where the runs of frames in <see cref="Bytes"/> lie in the file, in order; one run unless a filter left some out.</summary>
    [Id(4)]
    public required FrameRun[] Runs { get; init; }

    /// <summary>The frames of all runs.</summary>
    [Id(5)]
    public required Block Bytes { get; init; }

    /// <summary>Reads the events in place, each verified before it is given out. Reads none outside [from, to).</summary>
    public EventReader Read(long from = 0, long to = long.MaxValue) => new(this, from, to);

    /// <summary>Copies the events in [from, to) into objects.</summary>
    /// <exception cref="CorruptBlockException">A frame does not verify.</exception>
    public List<RecordedEvent> ToList(long from = 0, long to = long.MaxValue)
    {
        var events = new List<RecordedEvent>();
        foreach (var e in Read(from, to))
        {
            events.Add(e.ToRecordedEvent());
        }

        return events;
    }
}

[GenerateSerializer, Immutable, Alias("kawa.frame-run")]
internal struct FrameRunSurrogate
{
    [Id(0)]
    public long Offset;

    [Id(1)]
    public int Length;
}

[RegisterConverter]
internal sealed class FrameRunConverter : IConverter<FrameRun, FrameRunSurrogate>
{
    public FrameRun ConvertFromSurrogate(in FrameRunSurrogate surrogate) => new(surrogate.Offset, surrogate.Length);

    public FrameRunSurrogate ConvertToSurrogate(in FrameRun value) => new() { Offset = value.Offset, Length = value.Length };
}

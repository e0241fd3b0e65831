using System.Buffers.Binary;
using KawaOrleans.Format;
using KawaOrleans.Storage.Admission;

namespace KawaOrleans.Storage;

/// <summary>What the writer of a log remembers of its newest events, so that it knows a repeated batch again. Goes from writer to writer:
/// one at a time has it, and uses it under its segment's write gate.</summary>
public sealed class WriterMemory
{
    /// <summary>The size of one event in what <see cref="Segment.Remember"/> answers.</summary>
    public const int EventBytes = 28;

    private readonly BatchAdmission _admission;

    /// <param name="capacity">How many events it holds at most.</param>
    /// <param name="position">Where it begins.</param>
    public WriterMemory(int capacity, long position) => _admission = new BatchAdmission(new RecentEvents(capacity, position));

    /// <summary>The first position it knows.</summary>
    public long Start => _admission.Recent.Start;

    /// <summary>The position behind the last one it knows.</summary>
    public long End => _admission.Recent.End;

    /// <summary>Adds events at <see cref="End"/>, as <see cref="Segment.Remember"/> read them.</summary>
    public void Add(ReadOnlySpan<byte> remembered)
    {
        for (; remembered.Length >= EventBytes; remembered = remembered[EventBytes..])
        {
            var print = new EventPrint(
                BinaryPrimitives.ReadUInt64LittleEndian(remembered), BinaryPrimitives.ReadUInt32LittleEndian(remembered[8..]));
            _admission.Recent.Add(print);
            _admission.Recent.Stamp(End - 1, BinaryPrimitives.ReadInt64LittleEndian(remembered[12..]));
            _admission.Recent.Number(End - 1, [BinaryPrimitives.ReadInt64LittleEndian(remembered[20..])]);
        }
    }

    /// <summary>Forgets the events from a position on: they are not in the log.</summary>
    public void ForgetFrom(long position) => _admission.Recent.TruncateTo(position);

    internal static void Write(Frame frame, Span<byte> remembered)
    {
        var print = EventPrint.Of(frame.Bytes, Checksum.OfEncoded(frame.Bytes));
        BinaryPrimitives.WriteUInt64LittleEndian(remembered, print.Id);
        BinaryPrimitives.WriteUInt32LittleEndian(remembered[8..], print.Content);
        BinaryPrimitives.WriteInt64LittleEndian(remembered[12..], frame.Timestamp);
        BinaryPrimitives.WriteInt64LittleEndian(remembered[20..], frame.Revision);
    }

    /// <summary>Decides of one batch of a block, the events [begin, end) of it. If it is to be written, its events are known from now on.</summary>
    internal BatchOutcome Decide(EventBlock block, int begin, int end, long? retrySince, long timestamp)
    {
        var outcome = _admission.Decide(block.Prints[begin..end], retrySince, timestamp);
        return outcome.IsInLog || outcome.Fate == BatchFate.TooOldToTell ? outcome : outcome with { EventId = block.IdOf(begin + outcome.Count) };
    }

    /// <summary>Notes the revisions of the events from a position on.</summary>
    internal void Number(long first, ReadOnlySpan<long> revisions) => _admission.Recent.Number(first, revisions);

    /// <summary>The revisions of events that it knows.</summary>
    internal long[] RevisionsOf(long first, int count)
    {
        var revisions = new long[count];
        for (var i = 0; i < count; i++)
        {
            revisions[i] = _admission.Recent.RevisionAt(first + i);
        }

        return revisions;
    }
}

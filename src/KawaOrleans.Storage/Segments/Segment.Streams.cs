using KawaOrleans.Storage.Segments;
using KawaOrleans.Storage.Streams;

namespace KawaOrleans.Storage;

// What a segment knows of streams: from OpenStreams until its footer serves, and from the footer then.
public sealed partial class Segment
{
    /// <summary>What the segment holds of a stream, and some of its events.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="from">The revision of the first event wanted: the lowest, or backward the highest.</param>
    /// <param name="backward">True for the newest of the events up to there.</param>
    /// <param name="maxEvents">At most so many events.</param>
    /// <param name="maxBytes">About so many bytes, at least one event.</param>
    /// <returns>No events when the first one wanted lies before the segment.</returns>
    /// <exception cref="SegmentDamagedException">What the look-up rests on does not verify.</exception>
    public StreamSlice ReadStream(string stream, long from, bool backward, int maxEvents, int maxBytes) => StreamReading.Read(
        this, new StreamName(System.Text.Encoding.UTF8.GetBytes(stream)), from, backward, maxEvents, maxBytes);

    /// <summary>What is known of a stream where the segment ends; null when what lies before the segment is not known here.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <exception cref="SegmentDamagedException">What the look-up rests on does not verify.</exception>
    public StreamEnd? EndOf(string stream) => StreamEnds.Of(this, stream);

    /// <summary>The revision of the first event of a stream in the segment that was recorded then or later; of none, the one behind the last here, and
    /// 0 if the segment does not hold the stream.</summary>
    /// <param name="stream">The stream's name.</param>
    /// <param name="ticks">The time, in UTC ticks.</param>
    /// <exception cref="SegmentDamagedException">What the look-up rests on does not verify.</exception>
    public long FirstSince(string stream, long ticks) => StreamEnds.FirstSince(this, new StreamName(System.Text.Encoding.UTF8.GetBytes(stream)), ticks);

    /// <summary>Completes when the segment holds an event of the stream at or behind a revision, when time is up, or when the segment has ended.</summary>
    public ValueTask WaitForStreamAsync(string stream, long revision, TimeSpan wait, CancellationToken cancellation) =>
        StreamEnds.WaitAsync(this, stream, revision, _file.Host.Time, wait, cancellation);

    /// <summary>The streams that begin in the segment and whose names begin so, in the order of their first events; a bounded number of them. Those of
    /// the system (<c>$</c>) only when the prefix begins so too.</summary>
    /// <param name="prefix">What the names begin with.</param>
    /// <param name="from">Where to go on, as the call before answered; 0: at the first.</param>
    /// <param name="maxNames">At most so many.</param>
    /// <returns>The names, and where to go on; −1: there are no more.</returns>
    /// <exception cref="SegmentDamagedException">What the look-up rests on does not verify.</exception>
    public (IReadOnlyList<string> Names, long Next) ListStreams(string prefix, long from, int maxNames) => StreamListing.Run(this, prefix, from, maxNames);

    /// <summary>The heads of what lies before the segment; null where they are not at hand. For an old segment they cost a look at all before it.</summary>
    internal IStreamHeads? HeadsBefore() => _file.Host.HeadsIfKnown(Header);

    /// <summary>Where the first event of each stream that the segment has lies, in order, from an offset on.</summary>
    internal long[] FirstEvents(long from)
    {
        var tail = Tail;
        if (Volatile.Read(ref _streams) is not { } open)
        {
            return SealedStreams().FirstOffsets(from);
        }

        var firsts = new List<uint>();
        lock (open.Gate)
        {
            // In the order of their first events, and those not yet published at the end.
            var committed = Committed;
            for (var ordinal = 0; ordinal < open.Count && open.Events(ordinal) > 0 && Header.BasePosition + open.FirstPosition(ordinal) < committed; ordinal++)
            {
                firsts.Add(open.FirstPosition(ordinal));
            }
        }

        var offsets = firsts.ConvertAll(first => _frames.OffsetOf(first, tail));
        return [.. offsets.SkipWhile(offset => offset < from)];
    }

    /// <summary>The name of the stream whose first event ever lies at an offset; null when the stream has events before, or another prefix.</summary>
    internal string? BeginsStream(long offset, ReadOnlySpan<byte> prefix) => _frames.BeginsStream(offset, prefix, Tail);

    /// <summary>What the segment holds of a stream below a position, or null.</summary>
    /// <exception cref="SegmentDamagedException">What the look-up rests on does not verify.</exception>
    internal StreamPart? FindStream(StreamName name, long to)
    {
        var tail = Tail;
        if (Volatile.Read(ref _streams) is not { } open)
        {
            return SealedStreams().Find(name);
        }

        var limit = Math.Min(to, tail.Position) - Header.BasePosition;
        lock (open.Gate)
        {
            var ordinal = open.Find(name.Hash, name.Utf8);
            var events = ordinal < 0 ? 0 : open.EventsBelow(ordinal, limit);
            return events == 0
                ? null
                : new StreamPart(open.FirstRevision(ordinal), open.Previous(ordinal), events, (from, target) =>
                {
                    lock (open.Gate)
                    {
                        open.Positions(ordinal, from, target);
                    }
                });
        }
    }

    /// <summary>The last event of what the segment holds of a stream.</summary>
    internal StreamHead HeadOf(StreamPart part)
    {
        var last = part.LastPosition();
        var (timestamp, state) = _frames.EndOfStream(last, Tail);
        return new StreamHead(part.LastRevision, Header.BasePosition + last, timestamp, state);
    }

    /// <summary>When the event at a relative position was recorded, in ticks.</summary>
    internal long RecordedAt(uint relativePosition) => _frames.EndOfStream(relativePosition, Tail).Timestamp;

    /// <summary>The streams of a sealed segment, as its footer has them.</summary>
    internal SealedStreams SealedStreams() => new(_frames.Sealed(Tail), Header, Path, Tail);
}

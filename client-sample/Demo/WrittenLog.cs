using System.Globalization;
using System.Text;
using KawaOrleans.ClientSample.Ndjson;

namespace KawaOrleans.ClientSample.Demo;

/// <summary>What was written to one log, kept to check what is read from it. An event's position is its index.</summary>
internal sealed class WrittenLog(string name)
{
    private const int EventsPerBatch = 500;

    private readonly List<EventData> _events = [];
    private int _written;

    public string Name => name;

    public int Events => _events.Count;

    /// <summary>Deals the streams of a file out to so many logs; a stream's events stay together, in order.</summary>
    public static async Task<IReadOnlyList<WrittenLog>> SplitAsync(EventFile file, int logs, CancellationToken cancellation)
    {
        var parts = Enumerable.Range(1, logs).Select(static i => new WrittenLog($"file-changes-{i}")).ToList();
        var logOfStream = new Dictionary<string, int>(StringComparer.Ordinal);
        await foreach (var e in file.ReadAsync(cancellation))
        {
            if (!logOfStream.TryGetValue(e.Stream, out var log))
            {
                logOfStream.Add(e.Stream, log = logOfStream.Count % logs);
            }

            parts[log]._events.Add(e);
        }

        return parts;
    }

    /// <summary>Appends the next batch.</summary>
    /// <returns>How many events it had; 0 when all are written.</returns>
    public async Task<int> AppendNextAsync(IEventStoreClient store, CancellationToken cancellation)
    {
        var batch = _events.GetRange(_written, Math.Min(EventsPerBatch, _events.Count - _written));
        if (batch.Count > 0)
        {
            await store.Log(name).AppendAsync(batch, cancellation);
            _written += batch.Count;
        }

        return batch.Count;
    }

    /// <summary>Queries the whole log and compares every event with what was written, byte for byte.</summary>
    /// <returns>What differs, a sentence each; none when all is as written.</returns>
    public async Task<List<string>> FindDifferencesAsync(IEventStoreClient store, CancellationToken cancellation)
    {
        var differences = new List<string>();
        var position = 0;
        await foreach (var read in store.Log(name).QueryAsync(new RangeQuery(), cancellation))
        {
            if (position == _events.Count || read.Position != position || !IsSame(read, _events[position]))
            {
                differences.Add($"{name}: position {read.Position} is not what was written as number {position}.");
                return differences;
            }

            position++;
        }

        if (position != _events.Count)
        {
            differences.Add($"{name}: {_events.Count} events were written, {position} were read.");
        }

        return differences;
    }

    /// <summary>Compares filtered queries and aggregations with the same counted here.</summary>
    public async Task<List<string>> FindMiscountsAsync(IEventStoreClient store, CancellationToken cancellation)
    {
        var log = store.Log(name);
        var differences = new List<string>();

        async Task Compare(string aggregation, string? argument, Func<EventData, string> key)
        {
            var found = await log.AggregateAsync(new AggregationQuery { Name = aggregation, Argument = argument }, cancellation);
            var expected = _events.CountBy(key).ToDictionary(static pair => pair.Key, static pair => (long)pair.Value);
            if (found.Values.Count != expected.Count || expected.Any(pair => !found.Values.TryGetValue(pair.Key, out var count) || count != pair.Value))
            {
                differences.Add($"{name}: aggregation '{aggregation}' does not agree with what was written.");
            }
        }

        await Compare("count", null, static _ => "total");
        await Compare("by-type", null, static e => e.Type);
        await Compare("by-stream-prefix", "-", static e => e.Stream.Split('-')[0]);
        await Compare("by-hour", "occurred", static e => e.Occurred!.Value.UtcDateTime.ToString("yyyy-MM-ddTHH", CultureInfo.InvariantCulture));

        var filter = new EventFilter { Types = [_events[0].Type], StreamPrefix = "file-src/" };
        var wanted = _events
            .Select(static (e, position) => (Event: e, Position: (long)position))
            .Where(pair => pair.Event.Type == _events[0].Type && pair.Event.Stream.StartsWith("file-src/", StringComparison.Ordinal))
            .Select(static pair => pair.Position)
            .Take(1000)
            .ToList();
        var positions = new List<long>();
        await foreach (var e in log.QueryAsync(new RangeQuery { Filter = filter, Limit = 1000 }, cancellation))
        {
            positions.Add(e.Position);
        }

        if (!positions.SequenceEqual(wanted))
        {
            differences.Add($"{name}: a filtered query found {positions.Count} events, not the {wanted.Count} that were written.");
        }

        return differences;
    }

    private static bool IsSame(RecordedEvent read, EventData written) =>
        read.Stream == written.Stream
        && read.Type == written.Type
        && read.Id == written.Id
        && read.Occurred == written.Occurred
        && read.Data.Span.SequenceEqual(written.Data.Span)
        && read.Metadata.Span.SequenceEqual(written.Metadata.Span);
}

namespace KawaOrleans.Storage.Tests.Format;

public sealed class EventDataTests
{
    /// <summary>More ids than a thread gets at once, on more threads than there are processors.</summary>
    [Fact]
    public async Task Events_get_random_ids_that_never_repeat()
    {
        const int Threads = 8;
        const int EventsPerThread = 1000;
        var ids = await Task.WhenAll(Enumerable.Range(0, Threads).Select(static _ => Task.Run(static () =>
            Enumerable.Range(0, EventsPerThread).Select(static _ => new EventData("stream", "type", default).Id).ToList())));

        var all = ids.SelectMany(static i => i).ToHashSet();
        Assert.Equal(Threads * EventsPerThread, all.Count);
        Assert.All(all, static id => Assert.Equal(4, id.Version));
        Assert.All(all, static id => Assert.InRange(id.Variant, 8, 11));
    }

    [Fact]
    public void The_id_given_is_the_events_id()
    {
        var id = new Guid("00112233-4455-6677-8899-aabbccddeeff");
        Assert.Equal(id, new EventData("stream", "type", default) { Id = id }.Id);
    }
}

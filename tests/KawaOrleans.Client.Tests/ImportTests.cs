using System.IO.Compression;
using System.Text;
using KawaOrleans.ClientSample.Ndjson;

namespace KawaOrleans.Client.Tests;

[Collection(OnVirtualTime.Name)]
public sealed class ImportTests : IDisposable
{
    private const string Good = """{"stream":"s","type":"t","time":1,"data":{"n":1}}""";

    private readonly string _folder = Directory.CreateTempSubdirectory("kawa-import-").FullName;
    private readonly FakeStore _store = new();

    public void Dispose()
    {
        _store.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_file_gzipped_or_not_with_or_without_a_last_line_end_makes_the_same_ids()
    {
        var lines = string.Join('\n', Enumerable.Repeat(Good, 2500)) + '\n';
        var plain = await Check(lines);
        var again = await EventFile.CheckAsync(Gzipped(lines), Limits.MaxEventBytes, default);
        var ids = await Ids(plain);

        Assert.Equal(2500, plain.Events);
        Assert.Equal(2500, ids.Distinct().Count());
        Assert.Equal(ids, await Ids(again));
        Assert.All(ids, id => Assert.Equal(8, id.Version));
        Assert.Equal(2, (await Check($"{Good}\r\n{Good}")).Events);
        Assert.NotEqual(ids[0], (await Ids(await Check($"{Good}\r\n{Good}")))[0]);
        Assert.Equal(0, (await Check("")).Events);
    }

    [Theory]
    [InlineData("{}", "'stream' is missing")]
    [InlineData("", "the line is empty")]
    [InlineData("""{"stream":"$s","type":"t","data":1}""", "reserved")]
    [InlineData("""{"stream":"s","type":"t\u0007","data":1}""", "control characters")]
    public async Task A_bad_line_is_named_before_anything_is_appended(string bad, string reason)
    {
        var error = await Assert.ThrowsAsync<BadLineException>(() => Check($"{Good}\n{Good}\n{bad}\n{Good}\n"));

        Assert.Equal(3, error.Number);
        Assert.Contains("line 3", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_event_that_the_log_would_not_take_is_a_bad_line()
    {
        var large = $$"""{"stream":"s","type":"t","data":"{{new string('x', 40_000)}}"}""";

        Assert.Equal(2, (await Check($"{Good}\n{large}")).Events);
        var error = await Assert.ThrowsAsync<BadLineException>(() => EventFile.CheckAsync(Write($"{Good}\n{large}"), 32_768, default));
        Assert.Contains("32768", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_import_that_fails_says_which_lines_are_in_the_log()
    {
        _store.Truth.EventsPerSegment = 100_000;
        var file = await Check(string.Join('\n', Enumerable.Repeat(Good, 3500)));
        var sent = 0;
        _store.Cluster.Mishaps = call => call switch
        {
            "Append" when Interlocked.Increment(ref sent) >= 3 => Mishap.ConnectionLostBefore,
            _ => Mishap.None,
        };

        var error = await Assert.ThrowsAsync<ImportFailedException>(() => Import.RunAsync(file, _store.Log, null, default));

        Assert.Equal(2000, error.Appended);
        Assert.Contains("Lines 1 to 2000 of 3500 were appended; of lines 2001 to 3000 it is not known", error.Message, StringComparison.Ordinal);
        Assert.Equal(2000, _store.Truth.End);
    }

    [Fact]
    public async Task A_file_that_changed_after_it_was_checked_stops_the_import_at_its_first_bad_line()
    {
        _store.Truth.EventsPerSegment = 100_000;
        var file = await Check(string.Join('\n', Enumerable.Repeat(Good, 1500)));
        await File.WriteAllTextAsync(file.Path, string.Join('\n', Enumerable.Repeat(Good, 1200)) + "\nno event\n");

        var error = await Assert.ThrowsAsync<ImportFailedException>(() => Import.RunAsync(file, _store.Log, null, default));

        Assert.Contains("line 1201", error.Message, StringComparison.Ordinal);
        Assert.Contains("Lines 1 to 1000 of 1500 were appended", error.Message, StringComparison.Ordinal);
        Assert.Equal(1000, _store.Truth.End);
    }

    [Fact]
    public async Task Export_import_export_is_the_same_bytes()
    {
        _store.Truth.EventsPerSegment = 700;
        await Import.RunAsync(await Check(string.Join('\n', Enumerable.Repeat(Good, 2000))), _store.Log, null, default);
        await _store.Log.AppendAsync(new EventData("bytes", "raw", new byte[] { 0, 255, 10 }) { Metadata = "m"u8.ToArray(), Occurred = DateTimeOffset.UnixEpoch.AddTicks(1) });
        await _store.Log.AppendAsync(new EventData("none", "empty", default));
        var (first, second) = (Path.Combine(_folder, "first.ndjson"), Path.Combine(_folder, "second.ndjson.gz"));

        Assert.Equal(2002, await Export.RunAsync(_store.Log, first, default));
        var other = _store.Client.Log("other");
        _store.Cluster.Log("other").EventsPerSegment = 1000;
        await Import.RunAsync(await EventFile.CheckAsync(first, Limits.MaxEventBytes, default), other, null, default);
        await Export.RunAsync(other, second, default);

        await using var unzipped = new GZipStream(File.OpenRead(second), CompressionMode.Decompress);
        using var content = new MemoryStream();
        await unzipped.CopyToAsync(content);
        Assert.Equal(await File.ReadAllBytesAsync(first), content.ToArray());
    }

    [Fact]
    public async Task A_failed_export_leaves_no_file()
    {
        var path = Path.Combine(_folder, "none.ndjson");
        await Assert.ThrowsAsync<UnknownLogException>(() => Export.RunAsync(_store.Log, path, default));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    private Task<EventFile> Check(string content) => EventFile.CheckAsync(Write(content), Limits.MaxEventBytes, default);

    private string Write(string content)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.ndjson");
        File.WriteAllText(path, content, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        return path;
    }

    private string Gzipped(string content)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.gz");
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        gzip.Write(Encoding.UTF8.GetBytes(content));
        return path;
    }

    private static async Task<List<Guid>> Ids(EventFile file)
    {
        var ids = new List<Guid>();
        await foreach (var e in file.ReadAsync())
        {
            ids.Add(e.Id);
        }

        return ids;
    }
}

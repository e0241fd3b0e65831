
namespace KawaOrleans.Storage.Tests.Tool;

/// <summary>A data directory of a stopped node: one sealed segment of 40 events from position 0, and an open one of 10 behind it.</summary>
internal sealed class ToolDirectory : IDisposable
{
    public const int SealedEvents = 40;
    public const int Events = 50;

    private readonly TestDirectory _files = new();

    private ToolDirectory(Tail sealedEnd, Tail openTail) => (SealedEnd, OpenTail) = (sealedEnd, openTail);

    public string Path => _files.File("node-1");

    public string Sealed => System.IO.Path.Combine(Path, "logs", Sample.LogId.ToString("N"), $"{SealedId:N}-0.seg");

    public string Open => System.IO.Path.Combine(Path, "logs", Sample.LogId.ToString("N"), $"{OpenId:N}-0.seg");

    public Tail SealedEnd { get; private set; }

    public Tail OpenTail { get; private set; }

    private static Guid SealedId { get; } = new("30000000-0000-0000-0000-000000000001");

    private static Guid OpenId { get; } = new("30000000-0000-0000-0000-000000000002");

    public static async Task<ToolDirectory> MakeAsync()
    {
        var made = new ToolDirectory(default, default);
        using (var store = NodeStore.Open(made.Path, "node-1"))
        {
            store.SaveChain(new SavedChain(Sample.LogId, "orders", 3, new byte[] { 1 }));
            var first = store.Create(Sample.Header(SealedId));
            var writer = first.OpenWriter(Guid.NewGuid());
            for (var n = 0; n < SealedEvents; n += 4)
            {
                await writer.AppendAsync(Sample.Batch(n, 4));
            }

            made.SealedEnd = first.Fence(1);
            first.Seal(SealedEvents);
            first.WriteFooter();
            var second = store.Create(Sample.Header(OpenId, basePosition: SealedEvents, epoch: 2));
            var next = second.OpenWriter(Guid.NewGuid());
            await next.AppendAsync(new EventData("order-1", "noted", """{"total":42}"""u8.ToArray()) { Metadata = "[1]"u8.ToArray() });
            await next.AppendAsync(Sample.Batch(SealedEvents + 1, 9));
        }

        using (var open = Segment.OpenReadOnly(made.Open))
        {
            made.OpenTail = open.Tail;
        }

        return made;
    }

    /// <summary>What a write group leaves that a crash cut short.</summary>
    public void Tear() => Write(Open, OpenTail.Offset, [.. Enumerable.Repeat((byte)0xAA, 96)]);

    public static void Flip(string file, long offset)
    {
        using var stream = File.Open(file, FileMode.Open);
        stream.Position = offset;
        var found = (byte)stream.ReadByte();
        stream.Position = offset;
        stream.WriteByte((byte)(found ^ 4));
    }

    public static void Write(string file, long offset, byte[] bytes)
    {
        using var stream = File.Open(file, FileMode.Open);
        stream.Position = offset;
        stream.Write(bytes);
    }

    public string Copy(string file)
    {
        var copy = _files.File("copy.seg");
        File.Copy(file, copy, overwrite: true);
        return copy;
    }

    public string Beside(string name) => _files.File(name);

    /// <summary>Every file and its bytes.</summary>
    public Dictionary<string, string> Bytes() => Directory.EnumerateFiles(Path, "*", SearchOption.AllDirectories)
        .ToDictionary(static f => f, static f => Convert.ToHexString(System.IO.Hashing.XxHash3.Hash(File.ReadAllBytes(f))));

    public void Dispose() => _files.Dispose();
}

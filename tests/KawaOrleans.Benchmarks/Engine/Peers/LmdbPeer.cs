using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LightningDB;

namespace KawaOrleans.Benchmarks.Engine.Peers;

/// <summary>LMDB through LightningDB: big-endian numbers as keys, appended in order.</summary>
internal sealed class LmdbPeer : IPeer
{
    public static readonly PeerPresence Presence = PeerPresence.Probe("LMDB", Load);

    private const string SystemLibrary = "liblmdb.so.0";

    private readonly LightningEnvironment _environment;
    private readonly LightningDatabase _database;
    private long _next;

    /// <param name="folder">An empty folder.</param>
    /// <param name="durable">False: nothing is synced, to fill quickly.</param>
    public LmdbPeer(string folder, bool durable)
    {
        _environment = new LightningEnvironment(folder, new EnvironmentConfiguration { MapSize = 8L << 30 });
        _environment.Open(durable ? EnvironmentOpenFlags.None : EnvironmentOpenFlags.NoSync | EnvironmentOpenFlags.WriteMap);
        using var transaction = _environment.BeginTransaction();
        _database = transaction.OpenDatabase(configuration: new DatabaseConfiguration { Flags = DatabaseOpenFlags.Create });
        transaction.Commit();
    }

    public string Name => Presence.Name;

    public void AppendDurably(BodySize size, int batches)
    {
        Span<byte> key = stackalloc byte[8];
        for (var batch = 0; batch < batches; batch++)
        {
            using var transaction = _environment.BeginTransaction();
            for (var i = 0; i < BodySize.BatchEvents; i++)
            {
                BinaryPrimitives.WriteInt64BigEndian(key, _next++);
                transaction.Put(_database, key, size.Body(i), PutOptions.AppendData);
            }

            transaction.Commit();
        }
    }

    /// <summary>Reads these events, each found by its number, in place, in one transaction.</summary>
    public long ReadAll(ReadOnlySpan<int> numbers)
    {
        using var transaction = _environment.BeginTransaction(TransactionBeginFlags.ReadOnly);
        Span<byte> key = stackalloc byte[8];
        var sum = 0L;
        foreach (var number in numbers)
        {
            BinaryPrimitives.WriteInt64BigEndian(key, number);
            var (_, _, value) = transaction.Get(_database, key);
            sum += value.AsSpan()[0];
        }

        return sum;
    }

    public void Dispose()
    {
        _database.Dispose();
        _environment.Dispose();
    }

    private static string Load()
    {
        var binding = typeof(LightningEnvironment).Assembly;
        var source = "its own library";
        if (!NativeLibrary.TryLoad("lmdb", binding, searchPath: null, out _))
        {
            // Loaded before anything is made of it: an environment that could not be made ends the process in its finaliser.
            source = "the system's library";
            if (!NativeLibrary.TryLoad(SystemLibrary, out var system))
            {
                throw new DllNotFoundException("install liblmdb0");
            }

            NativeLibrary.SetDllImportResolver(binding, (name, _, _) => name.Contains("lmdb", StringComparison.Ordinal) ? system : 0);
        }

        var folder = Directory.CreateTempSubdirectory("lmdb-probe-").FullName;
        try
        {
            using var environment = new LightningEnvironment(folder);
            environment.Open();
            var version = environment.Version;
            return $"{version.Major}.{version.Minor}.{version.Patch} (LightningDB {PeerPresence.PackageVersion("LightningDB")}, {source})";
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

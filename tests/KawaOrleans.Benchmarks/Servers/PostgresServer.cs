using System.Diagnostics;
using System.Globalization;
using KawaOrleans.Benchmarks.Cluster;
using KawaOrleans.Benchmarks.Measuring;
using KawaOrleans.Loopback;
using Npgsql;
using NpgsqlTypes;

namespace KawaOrleans.Benchmarks.Servers;

/// <summary>A table of events as it is often written: a position, and (stream, revision) unique. Every caller has a stream of its own.</summary>
internal sealed class PostgresServer : EventServer
{
    private const int Connections = 100;
    private const string User = "postgres";

    private const string Table =
        """
        create table events (
            position bigint generated always as identity primary key, stream text not null, revision bigint not null, id uuid not null,
            type text not null, recorded timestamptz not null default now(), data bytea not null, unique (stream, revision))
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly string _data;
    private readonly int _port = Ports.Take();
    private readonly long[] _revisions = new long[1024];
    private Leash? _server;
    private NpgsqlDataSource? _source;

    public PostgresServer(Run run)
    {
        _folder = run.Scratch.Folder("postgresql");
        _data = Path.Combine(_folder, "data");
        if (IsRoot)
        {
            Execute("chown", User, _folder);
        }

        Execute([.. As, Beside("initdb"), "--pgdata", _data, "--username", User, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync"]);
        StartAndConnect();
        using var create = _source!.CreateCommand(Table);
        create.ExecuteNonQuery();
    }

    public static ServerPresence Presence { get; } = ServerPresence.Find(
        "PostgreSQL", "postgres", "postgresql", Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(d => Path.Combine(d, "bin")) : []);

    public override string Name => "postgresql";

    public override bool SyncsFirst => true;

    public override string Acknowledges => "after the sync (synchronous_commit on)";

    public override string Batches => "COPY of 1,000 rows in one transaction, atomic";

    /// <summary>It refuses to run as root.</summary>
    private static bool IsRoot => Environment.UserName == "root";

    private static string[] As => IsRoot ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--init-groups"] : [];

    public override async Task<long> ReadAsync(long events)
    {
        var count = 0L;
        await using var command = _source!.CreateCommand("select position, stream, revision, id, type, recorded, data from events order by position limit $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = events });
        await using var reader = await command.ExecuteReaderAsync(System.Data.CommandBehavior.SequentialAccess);
        while (await reader.ReadAsync())
        {
            _ = reader.GetInt64(0);
            _ = reader.GetString(1);
            _ = reader.GetInt64(2);
            _ = reader.GetGuid(3);
            _ = reader.GetString(4);
            _ = reader.GetDateTime(5);
            count += reader.GetFieldValue<byte[]>(6).Length == SampleEvents.DataBytes ? 1 : 0;
        }

        return count;
    }

    public override long DiskBytes()
    {
        using var command = _source!.CreateCommand("select pg_total_relation_size('events')");
        return (long)command.ExecuteScalar()!;
    }

    public override void Dispose()
    {
        _source?.Dispose();
        _server?.End("QUIT");
        _server?.Dispose();
        Scratch.Remove(_folder);
    }

    protected override async Task AppendOneAsync(int caller)
    {
        var e = SampleEvents.Next();
        await using var command = _source!.CreateCommand("insert into events (stream, revision, id, type, data) values ($1, $2, $3, $4, $5)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = StreamOf(caller) });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = _revisions[caller]++ });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = e.Id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = e.Type });
        command.Parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = e.Data, NpgsqlDbType = NpgsqlDbType.Bytea });
        await command.ExecuteNonQueryAsync();
    }

    protected override async Task AppendManyAsync(int caller)
    {
        await using var connection = await _source!.OpenConnectionAsync();
        await using var rows = await connection.BeginBinaryImportAsync("copy events (stream, revision, id, type, data) from stdin (format binary)");
        for (var i = 0; i < SampleEvents.BatchEvents; i++)
        {
            var e = SampleEvents.Next();
            await rows.StartRowAsync();
            await rows.WriteAsync(StreamOf(caller));
            await rows.WriteAsync(_revisions[caller]++, NpgsqlDbType.Bigint);
            await rows.WriteAsync(e.Id, NpgsqlDbType.Uuid);
            await rows.WriteAsync(e.Type);
            await rows.WriteAsync(e.Data, NpgsqlDbType.Bytea);
        }

        await rows.CompleteAsync();
    }

    /// <summary>Immediate shutdown: as kill -9, nothing is written any more and it recovers from its log; but no process of it is left behind.</summary>
    protected override void Crash()
    {
        _source!.Dispose();
        _server!.End("QUIT");
        _server.Dispose();
    }

    protected override void StartAndConnect()
    {
        string[] settings =
        [
            "listen_addresses=127.0.0.1", $"unix_socket_directories={_folder}", $"max_connections={Connections + 10}", "shared_buffers=512MB",
            "max_wal_size=8GB", "synchronous_commit=on", "fsync=on",
        ];
        _server = Leash.Start(
            $"{_folder}.log",
            _folder,
            [.. As, Presence.Program!, "-D", _data, "-p", _port.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(s => (string[])["-c", s])]);
        _server.Await(StartLimit, () => Ports.IsOpen(_port));
        _source = NpgsqlDataSource.Create(
            $"Host=127.0.0.1;Port={_port};Username={User};Database=postgres;Maximum Pool Size={Connections};Max Auto Prepare=8;Auto Prepare Min Usages=2;Timeout=60");
        for (var waited = Stopwatch.StartNew(); ;)
        {
            try
            {
                using var command = _source.CreateCommand("select 1");
                command.ExecuteScalar();
                return;
            }
            catch (NpgsqlException) when (waited.Elapsed < StartLimit)
            {
                Thread.Sleep(TimeSpan.FromMilliseconds(5));
            }
        }
    }

    protected override bool IsStillStarting(Exception e) => e is NpgsqlException;

    private static string StreamOf(int caller) => string.Create(CultureInfo.InvariantCulture, $"orders-{caller:000000000}");

    private static string Beside(string program) => Path.Combine(Path.GetDirectoryName(Presence.Program!)!, program);

    private static void Execute(params string[] command)
    {
        var start = new ProcessStartInfo(command[0]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in command[1..])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        _ = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)}: {errors}");
        }
    }
}

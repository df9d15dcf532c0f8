/** passwd(5): the names of users. */
export function usersOf(passwd: string): { uid: number; name: string }[] {
  return passwd.split('\n').flatMap(line => {
    const [name, , uid] = line.split(':');
    return name && uid && /^\d+$/.test(uid) ? [{ uid: Number(uid), name }] : [];
  });
}

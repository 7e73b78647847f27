/** The version of this program (https://semver.org), the same as in package.json. */
export const version = "0.1.0";
